"""The pack: one safetensors file of equal-sized uint8 images, read by memory map.

    images      uint8 [N, 3, H, W]   0 to 255, red, green, blue
    checksums   uint32 [N]           CRC-32 of each image, checked whenever that image is read

The header has a fixed size, so that images can be streamed to the file before their number is
known. Its SHA-256 covers the header and the checksums, and so, through them, every bit; it names
the dataset. Equal images in equal order make an equal file: no path and no time is in it.
"""

from __future__ import annotations

import json
import math
import mmap
import sys
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ganface.config.dataset import BuildConfig
from ganface.errors import UserError, WorkError
from ganface.io.atomic import atomic
from ganface.io.tensors import Header, metadata_of, read_header, seal, verify

if TYPE_CHECKING:
    from torch import Tensor

HEADER_BYTES = 4096
REBUILD = "remove it and build it again, which train does by itself for a pack in its cache"


def lay_out(count: int, size: int) -> dict[str, Any]:
    """Where a pack's tensors lie, as a safetensors header tells it."""
    end = count * 3 * size**2
    return {
        "images": {"dtype": "U8", "shape": [count, 3, size, size], "data_offsets": [0, end]},
        "checksums": {"dtype": "U32", "shape": [count], "data_offsets": [end, end + 4 * count]},
    }


class PackWriter:
    def __init__(self, file: BinaryIO, config: BuildConfig) -> None:
        self._file = file
        self._size = config.size
        self._meta = asdict(config)
        self._checksums = array("I")
        file.write(bytes(HEADER_BYTES))

    def add(self, image: bytes) -> None:
        """Append one image: uint8 [3, size, size] as bytes."""
        assert len(image) == 3 * self._size**2
        self._file.write(image)
        self._checksums.append(zlib.crc32(image))

    def _finish(self) -> None:
        count = len(self._checksums)
        if sys.byteorder == "big":
            self._checksums.byteswap()
        checksums = self._checksums.tobytes()
        self._file.write(checksums)

        header = {
            "__metadata__": metadata_of("pack", self._meta),
            **lay_out(count, self._size),
        }
        text = json.dumps(header).encode().ljust(HEADER_BYTES - 8)
        raw, _ = seal(len(text).to_bytes(8, "little") + text, checksums)
        assert len(raw) == HEADER_BYTES
        self._file.seek(0)
        self._file.write(raw)


@contextmanager
def write_pack(path: Path, config: BuildConfig) -> Iterator[PackWriter]:
    """Stream images into a pack that appears under `path` when the block ends without error."""
    with atomic(path) as file:
        writer = PackWriter(file, config)
        yield writer
        writer._finish()


def is_zip(path: Path) -> bool:
    """Whether a file is a zip, or was meant to be one."""
    return path.is_file() and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path))


def is_pack(data: Path) -> bool:
    """Whether DATA is to be opened as a pack, and not read as a folder or zip of images."""
    return data.is_file() and not is_zip(data)


def check_pack(path: Path) -> dict[str, Any]:
    """The metadata of a pack, and its number of images, once each of them is found whole.

    Raises UserError if the file is damaged or no pack. Imports no torch.
    """
    pack = Pack(path)
    damaged = pack.first_damaged(range(len(pack)))
    if damaged is not None:
        raise UserError(f"{path}: image {damaged} is damaged; {REBUILD}")
    return {**pack.meta, "images": len(pack)}


class Pack:
    """An open pack. Raises UserError if the file is damaged or no pack."""

    def __init__(self, path: Path) -> None:
        header = read_header(path, "pack")
        self.path = path
        self.meta = header.meta
        with open(path, "rb") as file:
            # ACCESS_COPY: torch wants writable memory; nothing ever writes, so nothing is copied
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self.settings = self._settings()
        self.size = self.settings.size
        self._start = header.size
        checksums = memoryview(self._map)[self._start + self._bytes_of_images(header) :]
        verify(path, header, checksums)
        self._checksums: Sequence[int] = checksums.cast("I")  # a view of the map, not a copy
        if sys.byteorder == "big":
            swapped = array("I", checksums)
            swapped.byteswap()
            self._checksums = swapped

    def _settings(self) -> BuildConfig:
        try:
            return BuildConfig.stored(
                {name: self.meta[name] for name in BuildConfig.flags() if name in self.meta}
            )
        except (KeyError, UserError) as error:
            raise UserError(f"{self.path}: no pack of this ganface; {REBUILD}") from error

    def _bytes_of_images(self, header: Header) -> int:
        """How long `images` is. Raises UserError unless all is as `PackWriter` lays it out."""
        count = (len(self._map) - header.size) // (3 * self.size**2 + 4)
        tensors = lay_out(count, self.size)
        if not count or header.tensors != tensors:
            raise UserError(f"{self.path}: damaged (not what its header says); {REBUILD}")
        return tensors["images"]["data_offsets"][1]

    def __len__(self) -> int:
        return len(self._checksums)

    @cached_property
    def images(self) -> Tensor:
        """All images as they lie in the file: uint8 [N, 3, H, W], paged in as they are read."""
        import torch

        shape = (len(self), 3, self.size, self.size)
        count = math.prod(shape)
        flat = torch.frombuffer(self._map, dtype=torch.uint8, offset=self._start, count=count)
        return flat.view(shape)

    @property
    def fingerprint(self) -> str:
        """Names the dataset: equal for equal images in equal order."""
        return str(self.meta["sha256"])

    def batch(self, indices: Sequence[int]) -> Tensor:
        """Images of these indices: uint8 [len(indices), 3, H, W], on the CPU.

        Raises WorkError if one of them is damaged.
        """
        damaged = self.first_damaged(indices)
        if damaged is not None:
            raise WorkError(f"{self.path}: image {damaged} is damaged; {REBUILD}")
        import torch

        # Several times as fast as images[indices]: whole images are copied, not pixels
        return self.images.index_select(0, torch.tensor(indices, dtype=torch.int64))

    def first_damaged(self, indices: Sequence[int]) -> int | None:
        """The first of these images whose checksum does not match."""
        size = 3 * self.size**2
        view = memoryview(self._map)
        for index in indices:
            start = self._start + index * size
            if zlib.crc32(view[start : start + size]) != self._checksums[index]:
                return index
        return None
