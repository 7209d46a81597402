"""Safetensors files with a checksum.

Everything that ganface stores for itself (pack, checkpoint, snapshot, latents, directions) is one
safetensors file. What is not a tensor is one JSON string with sorted keys in the header's metadata.
The string holds a SHA-256 of the file in which its own 64 digits are read as zeros, so that no bit
is uncovered.
Nothing is ever unpickled. Headers and checksums are read without torch.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganface import __version__
from ganface.errors import UserError
from ganface.io.atomic import atomic

if TYPE_CHECKING:
    from torch import Tensor

# Of each kind the format that is written. Older ones are read.
VERSIONS = {"pack": 1, "checkpoint": 2, "snapshot": 2, "latents": 1, "directions": 2}
NOUNS = {
    "latents": "file of latents",
    "directions": "file of directions",
}  # what a message calls a kind, if not by its name
METADATA_KEY = "ganface"
BLANK_DIGEST = "0" * 64
MAX_HEADER_BYTES = 16 * 2**20
ITEM_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "U8": 1}

Bytes = bytes | memoryview


@dataclass(frozen=True)
class Header:
    """What stands before a safetensors file's tensors."""

    raw: bytes  # the first bytes of the file: the length and the JSON
    meta: dict[str, Any]  # our own metadata: kind, version, sha256 and what the kind adds
    tensors: dict[str, Any]  # name -> {"dtype", "shape", "data_offsets"}

    @property
    def size(self) -> int:
        return len(self.raw)


def metadata_of(kind: str, meta: dict[str, Any]) -> dict[str, str]:
    """The metadata of a file of `kind` that is not sealed yet."""
    meta = {**meta, "kind": kind, "version": VERSIONS[kind], "sha256": BLANK_DIGEST}
    return {METADATA_KEY: json.dumps(meta, sort_keys=True)}


def seal(header: bytes, *body: Bytes) -> tuple[bytes, str]:
    """Put the SHA-256 of header and body into the header's blank place; return both."""
    digest = _digest(header, *body)
    return header.replace(BLANK_DIGEST.encode(), digest.encode(), 1), digest


def verify(path: Path, header: Header, *body: Bytes) -> None:
    """Raise UserError unless header and body are, bit for bit, what was sealed."""
    stored = str(header.meta["sha256"])
    if _digest(header.raw.replace(stored.encode(), BLANK_DIGEST.encode(), 1), *body) != stored:
        raise UserError(f"{path}: damaged (its checksum does not match); use another copy")


def _digest(*parts: Bytes) -> str:
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
    return sha.hexdigest()


def write_tensors(path: Path, kind: str, tensors: dict[str, Tensor], meta: dict[str, Any]) -> str:
    """Write tensors and metadata to `path`; return the file's SHA-256 (64 hex digits)."""
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data = save(tensors, metadata_of(kind, {**meta, "ganface": __version__}))
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
        newest = VERSIONS.get(kind, 1)
        if version < 1:
            raise ValueError
        if version <= newest:
            end = _end_of(tensors)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        wanted = _in_words(kinds or ("file",))
        raise UserError(f"{path}: not a {wanted} of ganface, or damaged") from error
    if version > newest:
        raise UserError(
            f"{path}: a {_in_words([kind])} of format {version}; this is ganface {__version__}, "
            f"which reads up to {newest}; it takes a newer one, "
            f"{meta.get('ganface', 'such as made it')}"
        )
    if kinds and kind not in kinds:
        raise UserError(f"{path}: a {_in_words([kind])}, where a {_in_words(kinds)} is needed")
    if end != body:
        raise UserError(f"{path}: damaged (not as long as its header says); use another copy")
    return Header(length + raw, meta, tensors)


def _in_words(kinds: Sequence[str]) -> str:
    return " or ".join(NOUNS.get(kind, kind) for kind in kinds)


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


def read_tensors(path: Path, *kinds: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
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


def check_tensors(path: Path, *kinds: str) -> dict[str, Any]:
    """The metadata of a file of one of `kinds`, once it is found whole. Imports no torch.

    Not for packs, whose checksum leaves out the images: see `dataset.pack.check_pack`.
    Raises UserError if it is of another kind, damaged or no file of ganface's.
    """
    header = read_header(path, *kinds)
    with (
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view,
        memoryview(view) as whole,  # a slice of the map itself would be a copy
        whole[header.size :] as body,
    ):
        verify(path, header, body)
    return header.meta
