"""From a generator, or a folder of its images, to figures that say how good they are."""
