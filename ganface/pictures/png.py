"""PNG files that say in their metadata what made them."""

from __future__ import annotations

import io
import json
import zlib
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from ganface.errors import UserError
from ganface.io.atomic import atomic

METADATA_KEY = "ganface"


def save_png(path: Path, image: Image.Image, meta: dict[str, Any], durable: bool = True) -> None:
    """Write a PNG that says in its metadata what made it; `ganface info` reads it.

    `durable`: see `io.atomic.atomic`. Raises CannotWriteError.
    """
    info = PngImagePlugin.PngInfo()
    info.add_text(METADATA_KEY, json.dumps(meta, sort_keys=True))
    # Into memory first: writing to the disk itself, Pillow does not report that it is full
    data = io.BytesIO()
    # Run lengths alone: longer matches are rare among a face's pixels, and take time to seek
    image.save(data, "PNG", pnginfo=info, compress_type=zlib.Z_RLE)
    with atomic(path, durable) as file:
        file.write(data.getbuffer())


def open_png(path: Path) -> PngImagePlugin.PngImageFile:
    """A PNG, read whole. Raises UserError if it is damaged."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            assert isinstance(image, PngImagePlugin.PngImageFile)
            image.load()
            return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: no PNG, or damaged ({error})") from error


def read_png_meta(path: Path) -> dict[str, Any] | None:
    """What `save_png` wrote, or None if the file is no PNG made here, or damaged."""
    try:
        return meta_of(open_png(path))
    except UserError:
        return None


def meta_of(image: PngImagePlugin.PngImageFile) -> dict[str, Any] | None:
    """What `save_png` wrote into a file that `open_png` read, or None."""
    try:
        meta = json.loads(image.text[METADATA_KEY])
    except (ValueError, KeyError, RecursionError):
        return None
    return meta if isinstance(meta, dict) else None
