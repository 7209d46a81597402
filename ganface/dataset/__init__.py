"""From a folder or zip of images to batches."""
