"""What the commands' tests ask of pictures."""

from PIL import Image

from ganface.pictures.face_size import GAP


def grid_pixels(count, side=64):
    """How long a grid of so many faces is; those of 32 pixels are drawn at twice their size."""
    return count * (side + GAP) - GAP


def size_of(path):
    with Image.open(path) as image:
        return image.size


def pixels_of(path):
    with Image.open(path) as image:
        return image.convert("RGB").tobytes()
