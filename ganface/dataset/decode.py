"""The bytes of one image file -> a square RGB image. Pillow alone: worker processes import this."""

from __future__ import annotations

import io
import warnings
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from ganface.config.dataset import BuildConfig

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"})
MAX_FILE_BYTES = 256 * 2**20
MAX_PIXELS = 100_000_000  # 10,000 × 10,000; for each worker 0.4 GB; with transparency 1.6 GB
MAX_SCANS = 500  # in a JPEG; each goes over all pixels again, and costs a hostile file ten bytes


class BadImageError(Exception):
    """This image is left out; the message is the reason."""


def decode(data: bytes, config: BuildConfig) -> Image.Image:
    """Return the image in `data` as RGB, size × size. Raises BadImageError, MemoryError."""
    if not data:
        raise BadImageError("empty file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd but readable files
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise BadImageError(f"too large: {image.width} × {image.height} pixels")
            if image.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > MAX_SCANS:
                raise BadImageError(f"more than {MAX_SCANS} scans")
            image.load()
            ImageOps.exif_transpose(image, in_place=True)  # else it copies what is upright already
            return _to_square(_to_rgb(image, config), config)
        except Image.DecompressionBombError as error:
            raise BadImageError("too large: more than 178 million pixels") from error
        except UnidentifiedImageError as error:
            raise BadImageError("not an image of a known format") from error
        except (BadImageError, MemoryError):
            raise
        except Exception as error:  # a damaged file can raise anything inside a decoder
            raise BadImageError(f"cannot be decoded: {' '.join(str(error).split())}") from error


def _to_rgb(image: Image.Image, config: BuildConfig) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _deep_grey_to_8_bit(image).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(
            Image.new("RGBA", image.size, config.background), image
        ).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _deep_grey_to_8_bit(image: Image.Image) -> Image.Image:
    """Greys of 16 or 32 bits, whole or fractions of 1; Pillow's own conversion would clip them."""
    sixteen_bit = image.mode.startswith("I;16")
    image = image.convert("F")
    highest: Any = image.getextrema()[1]  # of one band, so a number
    scale = 255 / 65535 if sixteen_bit or highest > 255 else 255 if highest <= 1 else 1
    return image.point(lambda grey: grey * scale + 0.5).convert("L")


def _to_square(image: Image.Image, config: BuildConfig) -> Image.Image:
    # Bicubic with Pillow's antialiasing is what Parmar et al. 2022, "On Aliased Resizing and
    # Surprising Subtleties in GAN Evaluation", recommend; Lanczos takes half as long again
    size = (config.size, config.size)
    if config.crop == "center":
        return ImageOps.fit(image, size, Image.Resampling.BICUBIC)
    return image.resize(size, Image.Resampling.BICUBIC)
