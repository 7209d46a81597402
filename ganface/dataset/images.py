"""Images by name, out of whatever a user gives: to be judged, or to be put into latent space."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from ganface.config.dataset import BuildConfig
from ganface.dataset.decode import SUFFIXES, BadImageError, decode
from ganface.dataset.pack import Pack, is_pack
from ganface.dataset.sources import list_source, read_image
from ganface.errors import UserError
from ganface.io.console import one_line, say


def read_images(paths: Iterable[Path], config: BuildConfig) -> Iterator[tuple[str, Tensor]]:
    """The name of each image, and uint8 [3, size, size]: of image files, folders, zips and packs.

    What was meant to be an image and cannot be read is said on stderr. Raises UserError for what
    holds no images.
    """
    for path in paths:
        if path.is_file() and path.suffix.lower() in SUFFIXES:
            named = [(str(path), path.parent, path.name)]
        elif is_pack(path):
            pack = Pack(path)
            if pack.size != config.size:
                raise UserError(f"{path}: its images are of {pack.size} pixels, not {config.size}")
            yield from ((f"{path}, image {i}", pack.batch([i])[0]) for i in range(len(pack)))
            continue
        else:
            listing = list_source(path)
            named = [(f"{path}/{name}", path, name) for name in listing.images]
            if listing.bad:
                say(f"{path}: {listing.bad} left out that cannot be read")
        for shown, source, name in named:
            try:
                yield shown, read_pixels(source, name, config)
            except BadImageError as error:
                say(one_line(f"{shown}: left out: {error}"))


def read_pixels(source: Path, name: str, config: BuildConfig) -> Tensor:
    """A listed image of a folder or zip: uint8 [3, size, size]. Raises BadImageError."""
    image = decode(read_image(source, name), config)
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return pixels.view(config.size, config.size, 3).permute(2, 0, 1).contiguous()
