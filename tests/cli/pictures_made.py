"""What the commands' tests ask of pictures."""

from PIL import Image

from ganface.pictures.grid import GAP


def grid_pixels(count):
    return count * (32 + GAP) + GAP


def size_of(path):
    with Image.open(path) as image:
        return image.size


def pixels_of(path):
    with Image.open(path) as image:
        return image.convert("RGB").tobytes()
