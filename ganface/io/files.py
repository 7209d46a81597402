"""Safetensors files, written whole or not at all and read with their checksum.

Everything that ganface stores for itself (pack, checkpoint, snapshot) is one safetensors file.
What is not a tensor is one JSON string with sorted keys in the header's metadata. The string holds
a SHA-256 of the file in which its own 64 digits are read as zeros, so that no bit is uncovered.
Nothing is ever unpickled. Headers and checksums are read without torch.
"""

from __future__ import annotations

import glob
import hashlib
import json
import math
import mmap
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ganface import __version__
from ganface.errors import CannotWriteError, UserError

if TYPE_CHECKING:
    from torch import Tensor

VERSION = 1
METADATA_KEY = "ganface"
TEMPORARY = ".tmp"
BLANK_DIGEST = "0" * 64
MAX_HEADER_BYTES = 16 * 2**20
ITEM_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "U8": 1}


@contextmanager
def atomic(path: Path, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file that appears under `path` whole or not at all.

    A `durable` one is on the disk then, and outlives a power cut. Waiting for the disk takes longer
    than drawing a face, so what can be drawn again need not be. Raises CannotWriteError.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "wb") as file:
                yield file
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        if durable and os.name == "posix":  # the rename itself must survive a power cut
            directory = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)


def append(path: Path, text: str) -> None:
    """Append `text` to a file, whole or not at all. Raises CannotWriteError."""
    data = text.encode()
    with _writing(path), open(path, "ab", buffering=0) as file:
        end = os.fstat(file.fileno()).st_size
        try:
            while data:
                data = data[file.write(data) :]
        except OSError:
            file.truncate(end)
            raise


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """What the disk refuses within the block is an error that names `path`."""
    try:
        yield
    except OSError as error:
        raise CannotWriteError(f"{path}: cannot be written ({error.strerror or error})") from error


def remove_leftovers(folder: Path, name: str | None = None) -> None:
    """Remove what killed processes left half written in `folder`, of files of any name or of one.

    To be called by who alone writes such files there.
    """
    for leftover in folder.glob(f".{glob.escape(name) if name else '*'}.*{TEMPORARY}"):
        leftover.unlink(missing_ok=True)


def cache_folder() -> Path | None:
    """Where packs made by `ganface train` are kept, by the system's own custom.

    None if there is no such place, or if it cannot be written to.
    """
    home = Path(os.path.expanduser("~"))
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    try:
        check_writable(base / "ganface")
    except UserError:
        return None
    return base / "ganface" if base.is_absolute() else None  # "~" stands for no home at all


def check_writable(path: Path) -> None:
    """Raise UserError if `path` and the folders above it could not be made, or, if it is a folder
    that is there, nothing in it."""
    folders = [path.absolute(), *path.absolute().parents]
    there = next(each for each in folders[not path.is_dir() :] if os.path.lexists(each))
    if not there.is_dir():
        raise UserError(f"{path}: cannot be written, {there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"{path}: cannot be written, no permission for {there}")


def name_of(path: Path) -> str:
    """What results made from a file or folder are named after."""
    path = path.resolve()
    return path.name if path.is_dir() else path.stem


def write_text(path: Path, text: str) -> None:
    with atomic(path) as file:
        file.write(text.encode())


@dataclass(frozen=True)
class Header:
    """What stands before a safetensors file's tensors."""

    raw: bytes  # the first bytes of the file: the length and the JSON
    meta: dict[str, Any]  # our own metadata: kind, version, sha256 and what the kind adds
    tensors: dict[str, Any]  # name -> {"dtype", "shape", "data_offsets"}

    @property
    def size(self) -> int:
        return len(self.raw)


def describe(kind: str, meta: dict[str, Any]) -> dict[str, str]:
    """The metadata of a file of `kind` that is not sealed yet."""
    meta = {**meta, "kind": kind, "version": VERSION, "sha256": BLANK_DIGEST}
    return {METADATA_KEY: json.dumps(meta, sort_keys=True)}


def seal(header: bytes, *body: bytes) -> tuple[bytes, str]:
    """Put the SHA-256 of header and body into the header's blank place; return both."""
    digest = _digest(header, *body)
    return header.replace(BLANK_DIGEST.encode(), digest.encode(), 1), digest


def verify(path: Path, header: Header, *body: bytes) -> None:
    """Raise UserError unless header and body are, bit for bit, what was sealed."""
    stored = str(header.meta["sha256"])
    if _digest(header.raw.replace(stored.encode(), BLANK_DIGEST.encode(), 1), *body) != stored:
        raise UserError(f"{path}: damaged (its checksum does not match); use another copy")


def _digest(*parts: bytes) -> str:
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
    return sha.hexdigest()


def write(path: Path, kind: str, tensors: dict[str, Tensor], meta: dict[str, Any]) -> str:
    """Write tensors and metadata to `path`; return the file's SHA-256 (64 hex digits)."""
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data = save(tensors, describe(kind, {**meta, "ganface": __version__}))
    start = 8 + int.from_bytes(data[:8], "little")
    header, digest = seal(data[:start], memoryview(data)[start:])
    with atomic(path) as file:
        file.write(header)
        file.write(memoryview(data)[start:])
    return digest


def read_header(path: Path, *kinds: str) -> Header:
    """Read the header alone, of a file of any kind if none is named.

    Raises UserError if `path` is of another kind, not of the length that the header tells, or no
    file of ganface's.
    """
    try:
        with open(path, "rb") as file:
            length = file.read(8)
            count = int.from_bytes(length, "little")
            if len(length) < 8 or not 2 <= count <= MAX_HEADER_BYTES:
                raise ValueError
            raw = file.read(count)
            body = os.fstat(file.fileno()).st_size - 8 - count
        tensors = json.loads(raw)
        meta = json.loads(tensors.pop("__metadata__")[METADATA_KEY])
        kind, version, digest = meta["kind"], meta["version"], meta["sha256"]
        if not (isinstance(kind, str) and type(version) is int):
            raise ValueError
        if not (isinstance(digest, str) and len(digest) == len(BLANK_DIGEST)):
            raise ValueError
        if version == VERSION:
            end = _end_of(tensors)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{path}: not a pack, checkpoint or snapshot of ganface, or damaged"
        ) from error
    if version != VERSION:
        age = "a newer" if version > VERSION else "an older"
        raise UserError(
            f"{path}: of format {version}; this is ganface {__version__}, which reads format "
            f"{VERSION}; it takes {age} one, {meta.get('ganface', 'such as made it')}"
        )
    if kinds and kind not in kinds:
        raise UserError(f"{path}: a {kind}, where a {' or '.join(kinds)} is needed")
    if end != body:
        raise UserError(f"{path}: damaged (not as long as its header says); use another copy")
    return Header(length + raw, meta, tensors)


def _end_of(tensors: dict[str, Any]) -> int:
    """How many bytes the tensors take. Raises ValueError or the like unless they lie end to end."""
    end = 0
    for tensor in sorted(tensors.values(), key=lambda tensor: tensor["data_offsets"]):
        shape, (start, stop) = tensor["shape"], tensor["data_offsets"]
        if not all(type(each) is int and 0 <= each < 2**48 for each in (*shape, start, stop)):
            raise ValueError
        if len(shape) > 8 or start != end:
            raise ValueError
        if stop - start != math.prod(shape) * ITEM_BYTES[tensor["dtype"]]:
            raise ValueError
        end = stop
    return end


def read(path: Path, *kinds: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a whole file of one of `kinds`: (metadata, tensors on the CPU).

    Raises UserError if it is of another kind, damaged or no file of ganface's.
    """
    header = read_header(path, *kinds)
    data = path.read_bytes()
    verify(path, header, memoryview(data)[header.size :])

    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return header.meta, load(data)
    except SafetensorError as error:
        raise UserError(f"{path}: not a valid safetensors file ({error})") from error


def check(path: Path) -> dict[str, Any]:
    """The metadata of a file of any kind, once the file is found whole. Imports no torch."""
    header = read_header(path, "pack", "checkpoint", "snapshot")
    if header.meta["kind"] == "pack":
        from ganface.dataset.pack import REBUILD, Pack

        pack = Pack(path)
        damaged = pack.first_damaged(range(len(pack)))
        if damaged is not None:
            raise UserError(f"{path}: image {damaged} is damaged; {REBUILD}")
        return {**header.meta, "images": len(pack)}
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        verify(path, header, view[header.size :])
    return header.meta
