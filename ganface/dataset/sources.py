"""What images come from: a folder or a zip, listed and read."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath

from ganface.config.dataset import FACTORS
from ganface.dataset.decode import MAX_FILE_BYTES, SUFFIXES, BadImageError
from ganface.dataset.pack import is_zip
from ganface.errors import UserError

# What many images are kept as that Pillow does not read
UNREAD = dict.fromkeys((".heic", ".heif"), "HEIC") | {".jxl": "JPEG XL", ".svg": "SVG"}


@dataclass
class Listing:
    """What a source holds, before any image is opened."""

    images: list[str] = field(default_factory=list)  # names with "/", sorted
    left_out: dict[str, str] = field(default_factory=dict)  # name -> reason
    bad: int = 0  # how many in left_out were meant to be images
    digest: str = ""  # changes when a name, a size or a time does


def list_source(source: Path) -> Listing:
    """List a folder (any depth) or a zip. Raises UserError if it is neither or has no image."""
    if source.is_dir():
        entries = _folder_entries(source)
    elif is_zip(source):
        entries = _zip_entries(source)
    elif source.exists():
        raise UserError(f"{source}: neither a folder, nor a zip, nor a pack")
    else:
        raise UserError(f"{source}: there is no such file or folder")

    listing = Listing()
    digest = hashlib.sha256()
    for name, stamp, problem in sorted(entries):
        digest.update(f"{name}\0{stamp}\0".encode(errors="surrogatepass"))
        suffix = os.path.splitext(name)[1]
        if PurePosixPath(name).name == FACTORS:
            continue  # it is no image, and none misses it
        if _is_hidden(name):
            listing.left_out[name] = "hidden"
        elif problem and not suffix:
            listing.left_out[name] = problem
        elif suffix.lower() in UNREAD:
            kind = UNREAD[suffix.lower()]
            listing.left_out[name] = f"{kind} is not read, save it as .png or .jpg"
        elif suffix.lower() not in SUFFIXES:
            listing.left_out[name] = f"no image by its name: {suffix or 'no suffix'}"
        elif problem:
            listing.left_out[name] = problem
            listing.bad += 1
        else:
            listing.images.append(name)
    listing.digest = digest.hexdigest()
    if not listing.images:
        raise UserError(f"{source}: no image in it; {_what_was_found(listing)}")
    return listing


def count_reasons(left_out: dict[str, str]) -> dict[str, int]:
    """Files by the kind of reason for which they are left out, the most frequent first."""
    return dict(Counter(r.partition(":")[0] for r in left_out.values()).most_common())


def describe_left_out(left_out: dict[str, str]) -> str:
    """How many files are left out, and why."""
    kinds = "; ".join(f"{count} × {kind}" for kind, count in count_reasons(left_out).items())
    return f"{len(left_out)} left out: {kinds}"


def _is_hidden(name: str) -> bool:
    hidden = (".", "__MACOSX")
    return any(p.startswith(hidden) and p not in (".", "..") for p in name.split("/"))


def _what_was_found(listing: Listing) -> str:
    counts = Counter(reason.rpartition(": ")[2] for reason in listing.left_out.values())
    found = ", ".join(f"{count} × {reason}" for reason, count in counts.most_common(5))
    return f"found {found}" if found else "it is empty"


def _folder_entries(root: Path) -> Iterator[tuple[str, str, str]]:
    """(name, stamp, problem) of every file. Links are followed, each folder is entered once.

    A folder that cannot be read is an entry too; its name ends with "/".
    """
    entered: set[tuple[int, int]] = set()
    folders = [""]  # os.walk recurses before Python 3.12, and fails 1,000 folders deep
    while folders:
        prefix = folders.pop()
        try:
            status = os.stat(root / prefix)
            identity = (status.st_dev, status.st_ino)
            if identity in entered and status.st_ino:  # Windows may report no inode
                continue
            entered.add(identity)
            names = sorted(os.listdir(root / prefix), reverse=True)
        except OSError as error:
            yield prefix or "./", "", f"folder cannot be read: {error.strerror}"
            continue
        for name in names:
            name = prefix + name
            try:
                status = os.stat(root / name)
            except OSError as error:
                yield name, "", f"cannot be read: {error.strerror}"
                continue
            if stat.S_ISDIR(status.st_mode):
                folders.append(name + "/")
                continue
            problem = ""
            if not stat.S_ISREG(status.st_mode):
                problem = "not a regular file"
            elif status.st_size > MAX_FILE_BYTES:
                problem = f"too large: {status.st_size} bytes"
            yield name, f"{status.st_size} {status.st_mtime_ns}", problem


def _zip_entries(path: Path) -> Iterator[tuple[str, str, str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted({name for name in archive.namelist() if not name.endswith("/")})
            members = [archive.getinfo(name) for name in names]  # of equal names the last one
    except Exception as error:  # a damaged zip can raise anything
        raise UserError(f"{path}: the zip is cut off or damaged ({error})") from error
    if members and all(member.flag_bits & 1 for member in members):
        raise UserError(f"{path}: the zip is encrypted; unpack it and give the folder")
    for member in members:
        problem = ""
        name = member.filename
        if ".." in PurePosixPath(name).parts or name.startswith("/") or name[1:3] == ":/":
            problem = "name climbs out of the zip"
        elif member.flag_bits & 1:
            problem = "encrypted"
        elif member.file_size > MAX_FILE_BYTES:
            problem = f"too large: {member.file_size} bytes"
        elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            problem = "compressed in a way that is not read; unpack the zip and give the folder"
        yield name, f"{member.file_size} {member.CRC}", problem


def read_image(source: Path, name: str) -> bytes:
    """The bytes of a listed image: at most as many as are declared, whatever it became since.

    Raises BadImageError if it cannot be read, and MemoryError.
    """
    try:
        if source.is_dir():
            return _read_file(source / name)
        archive = _open_zip(source)
        with archive.open(name) as member:
            # The size bounds what zlib unpacks at once; without it a bomb fills the memory
            return member.read(archive.getinfo(name).file_size)
    except (BadImageError, MemoryError):
        raise
    except OSError as error:
        raise BadImageError(f"cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged zip can raise anything
        raise BadImageError(f"cannot be read: {' '.join(str(error).split())}") from error


def _read_file(path: Path) -> bytes:
    def open_at_once(path: str, flags: int) -> int:
        return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # else a pipe waits for ever

    with open(path, "rb", opener=open_at_once) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise BadImageError("not a regular file")
        if status.st_size > MAX_FILE_BYTES:
            raise BadImageError(f"too large: {status.st_size} bytes")
        return file.read(status.st_size)


@lru_cache(maxsize=1)
def _open_zip(source: Path) -> zipfile.ZipFile:
    """One open zip for each worker process: reading its directory again for each image is slow."""
    return zipfile.ZipFile(source)
