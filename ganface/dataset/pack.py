"""The pack: one safetensors file of equal-sized uint8 images, read by memory map.

    images      uint8 [N, 3, H, W]   0 to 255, red, green, blue
    checksums   uint32 [N]           CRC-32 of each image, checked whenever that image is read
    labels      uint8 [N, A]         of each image, for each attribute, the number of its value from
                                     1, or 0 where it is not known; if the images have labels

The header has a fixed size, so that images can be streamed to the file before their number is
known. Its SHA-256 covers the header and what follows the images, and so, through the checksums,
every bit; it names the dataset. The same images in the same order, read by the same settings, make
the same file: no path and no time is in it.
"""

from __future__ import annotations

import json
import math
import mmap
import sys
import zipfile
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ganface.config.dataset import LABELLING, BuildConfig
from ganface.errors import UserError, WorkError
from ganface.io.atomic import atomic
from ganface.io.tensors import ITEM_BYTES, Header, metadata_of, read_header, seal, verify
from ganface.latents.labels import Attributes

if TYPE_CHECKING:
    from torch import Tensor

HEADER_BYTES = 4096
REBUILD = "remove it and build it again, which train does by itself for a pack in its cache"


def lay_out(count: int, size: int, attributes: int = 0) -> dict[str, Any]:
    """Where a pack's tensors lie, as a safetensors header tells it."""
    shapes = {"images": ("U8", [count, 3, size, size]), "checksums": ("U32", [count])}
    if attributes:
        shapes["labels"] = ("U8", [count, attributes])
    places, end = {}, 0
    for name, (dtype, shape) in shapes.items():
        start, end = end, end + math.prod(shape) * ITEM_BYTES[dtype]
        places[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    return places


@dataclass(frozen=True)
class Labels:
    """What the images of a pack are labelled with."""

    attributes: Attributes  # by name, in whose order files keep them
    rows: list[bytes]  # of each image, for each attribute: the number of its value from 1; or 0

    def __post_init__(self) -> None:
        assert [*self.attributes] == sorted(self.attributes)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Images with each value, by attribute."""
        counted: dict[str, dict[str, int]] = {}
        for column, (name, values) in enumerate(self.attributes.items()):
            found = Counter(row[column] for row in self.rows)
            counted[name] = {value: found[i] for i, value in enumerate(values, start=1)}
        return counted


class PackWriter:
    def __init__(self, file: BinaryIO, config: BuildConfig) -> None:
        self._file = file
        self._size = config.size
        # Not where labels come from: equal images and labels make an equal file
        self._meta = {n: v for n, v in asdict(config).items() if n not in LABELLING}
        self._checksums = array("I")
        self.labels: Labels | None = None  # of all images, to be given before the block ends
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
        # They lie one image after the other
        end = self._checksums.tobytes() + b"".join(self.labels.rows if self.labels else ())
        self._file.write(end)
        text = self.header_of(count)
        raw, _ = seal(len(text).to_bytes(8, "little") + text, end)
        self._file.seek(0)
        self._file.write(raw)

    def header_of(self, count: int) -> bytes:
        """What is written before so many images. Raises UserError if their labels do not fit."""
        attributes = self.labels.attributes if self.labels else {}
        meta = {**self._meta, "labels": attributes} if attributes else self._meta
        header = {
            "__metadata__": metadata_of("pack", meta),
            **lay_out(count, self._size, len(attributes)),
        }
        text = json.dumps(header).encode().ljust(HEADER_BYTES - 8)
        if len(text) > HEADER_BYTES - 8:
            values = sum(map(len, attributes.values()))
            raise UserError(
                f"--labels: {values:,} values of {len(attributes):,} labels are too many for a "
                "pack, or too long; choose some by --label-columns"
            )
        return text


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
        self.settings, self.attributes = self._settings()
        self.size = self.settings.size
        self._start = header.size
        places = self._places(header)
        end = memoryview(self._map)[self._start + places["images"]["data_offsets"][1] :]
        verify(path, header, end)
        count = places["checksums"]["shape"][0]
        checksums = end[: 4 * count]
        self._labels = end[4 * count :]
        self._checksums: Sequence[int] = checksums.cast("I")  # a view of the map, not a copy
        if sys.byteorder == "big":
            swapped = array("I", checksums)
            swapped.byteswap()
            self._checksums = swapped

    def _settings(self) -> tuple[BuildConfig, Attributes]:
        """How it was built, and what its labels may be."""
        try:
            kept = {n: self.meta[n] for n in BuildConfig.flags() if n in self.meta}
            labels = kept.pop("labels", None) or {}
            for values in labels.values():
                if not all(isinstance(value, str) for value in values):
                    raise TypeError
            attributes = {name: tuple(values) for name, values in labels.items()}
            return BuildConfig.stored(kept), attributes
        except (KeyError, TypeError, AttributeError, UserError) as error:
            raise UserError(f"{self.path}: no pack of this ganface; {REBUILD}") from error

    def _places(self, header: Header) -> dict[str, Any]:
        """Where its tensors lie. Raises UserError unless all is as `PackWriter` lays it out."""
        each = 3 * self.size**2 + 4 + len(self.attributes)
        places = lay_out((len(self._map) - header.size) // each, self.size, len(self.attributes))
        if not places["images"]["shape"][0] or header.tensors != places:
            raise UserError(f"{self.path}: damaged (not what its header says); {REBUILD}")
        return places

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

    @cached_property
    def labels(self) -> Tensor:
        """uint8 [N, A]: of each image, for each of `attributes`, the number of its value from 1; or
        0 where it is not known."""
        import torch

        shape = (len(self), len(self.attributes))
        if not self.attributes:
            return torch.empty(shape, dtype=torch.uint8)
        return torch.frombuffer(self._labels, dtype=torch.uint8).view(shape)

    @property
    def fingerprint(self) -> str:
        """Names the dataset: equal for equal images, and labels, in equal order."""
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
