"""A folder or zip of images -> a pack, and a report of what was left out and why."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from ganface.config.settings import BuildConfig, changed_settings, check_size
from ganface.dataset.decode import MAX_FILE_BYTES, SUFFIXES, BadImageError, decode
from ganface.dataset.pack import Pack, is_pack, is_zip, write_pack
from ganface.errors import UserError, WorkError
from ganface.io.atomic import remove_leftovers, write_text
from ganface.io.lock import locked
from ganface.system.parallel import map_in_order

CHUNK, CHUNK_BYTES = 32, 2**20  # images handed to a worker at once, and what they come to
NEAR_BITS = 3  # near images differ in at most so many bits of their difference hashes
NEAR_LEVELS = 8  # and by so many levels of 0 to 255 in the mean over their thumbnails


@dataclass
class Listing:
    """What a source holds, before any image is opened."""

    images: list[str] = field(default_factory=list)  # names with "/", sorted
    left_out: dict[str, str] = field(default_factory=dict)  # name -> reason
    bad: int = 0  # how many in left_out were meant to be images
    digest: str = ""  # changes when a name, a size or a time does


@dataclass(frozen=True)
class Report:
    """What became of every file. A reason is "kind" or "kind: detail"."""

    used: int
    left_out: dict[str, str]

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(r.partition(":")[0] for r in self.left_out.values()).most_common())

    def as_json(self) -> str:
        left_out = [{"name": n, "reason": r} for n, r in sorted(self.left_out.items())]
        report = {"used": self.used, "counts": self.counts, "left_out": left_out}
        return json.dumps(report, indent=1) + "\n"


Track = Callable[[Iterable, int], Iterable]  # wraps an iterable of known length, to show progress


def untracked(items: Iterable, total: int) -> Iterable:  # noqa: ARG001
    return items


# ---------------------------------------------------------------------------- listing


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
        if _is_hidden(name):
            listing.left_out[name] = "hidden"
        elif problem and not suffix:
            listing.left_out[name] = problem
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
    folders = [""]  # not by os.walk: that calls itself, and Python ends 1,000 folders down
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


# ---------------------------------------------------------------------------- one image


@dataclass(frozen=True)
class _Ingested:
    pixels: bytes  # uint8 [3, size, size]
    difference_hash: int
    thumbnail: bytes  # uint8 [4, 4, 3]


def _ingest(source: Path, config: BuildConfig, name: str) -> _Ingested | str:
    """One image as it goes into the pack, or the reason why it does not."""
    try:
        image = decode(_read(source, name), config)
    except BadImageError as error:
        return str(error)
    except MemoryError:
        return "needs more memory than there is"
    pixels = b"".join(image.tobytes("raw", band) for band in "RGB")
    if config.dedupe != "near":
        return _Ingested(pixels, 0, b"")
    thumbnail = image.resize((4, 4), Image.Resampling.BOX).tobytes()
    return _Ingested(pixels, _difference_hash(image), thumbnail)


def _read(source: Path, name: str) -> bytes:
    """At most as many bytes as are declared, whatever became of the file since it was listed."""
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


def _difference_hash(image: Image.Image) -> int:
    """64 bits: is each grey of a 9 × 8 thumbnail brighter than its right neighbour?

    The "dHash" of Neal Krawetz, "Kind of Like That" (2013).
    """
    grey = image.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = [grey[i] > grey[i + 1] for i in range(len(grey) - 1) if i % 9 < 8]
    return sum(bit << i for i, bit in enumerate(bits))


class _NearDuplicates:
    """Finds an earlier image within NEAR_BITS bits of the hash and NEAR_LEVELS of the thumbnail.

    The hash knows no colours: two characters drawn in one pose differ in the thumbnail alone.

    Of NEAR_BITS + 1 bands of bits, at least one is equal in two such hashes (pigeonhole), so only
    the hashes that share a band need a comparison. A band takes bits from everywhere in the image:
    plain grounds, where many hashes agree, fill none.
    """

    def __init__(self) -> None:
        count = NEAR_BITS + 1
        self._masks = [sum(1 << bit for bit in range(i, 64, count)) for i in range(count)]
        self._bands: list[dict[int, list[tuple[int, bytes, str]]]] = [{} for _ in self._masks]

    def find_or_add(self, value: int, thumbnail: bytes, name: str) -> str | None:
        keys = [value & mask for mask in self._masks]
        for band, key in zip(self._bands, keys, strict=True):
            for other, other_thumbnail, other_name in band.get(key, ()):
                if (value ^ other).bit_count() <= NEAR_BITS:
                    levels = zip(thumbnail, other_thumbnail, strict=True)
                    if sum(abs(a - b) for a, b in levels) <= NEAR_LEVELS * len(thumbnail):
                        return other_name
        for band, key in zip(self._bands, keys, strict=True):
            band.setdefault(key, []).append((value, thumbnail, name))
        return None


# ---------------------------------------------------------------------------- the whole


def build_pack(
    source: Path,
    out: Path,
    config: BuildConfig,
    track: Track = untracked,
    workers: int | None = None,
    listing: Listing | None = None,
) -> Report:
    """Write `source`'s images to the pack `out`, and the report beside it.

    The pack is the same bit for bit for the same names, bytes and settings. To be called with its
    lock held.
    Raises UserError if there is nothing to read, WorkError if too much of it is bad.
    """
    listing = listing or list_source(source)
    left_out = dict(listing.left_out)
    bad = listing.bad
    seen: dict[bytes, str] = {}
    near = _NearDuplicates()
    used = 0
    remove_leftovers(out.parent, out.name)

    ingest = partial(_ingest, source, config)
    chunk = max(1, min(CHUNK, CHUNK_BYTES // (3 * config.size**2)))
    results = map_in_order(ingest, listing.images, workers, chunk, "its decoder crashed")
    named = zip(listing.images, results, strict=True)
    with write_pack(out, config) as pack:
        for name, result in track(named, len(listing.images)):
            if isinstance(result, str):
                left_out[name] = result
                bad += 1
                continue
            if config.dedupe != "off":
                key = hashlib.blake2b(result.pixels, digest_size=16).digest()
                twin = seen.setdefault(key, name)
                if twin is not name:
                    left_out[name] = f"duplicate: of {twin}"
                    continue
            if config.dedupe == "near":
                twin = near.find_or_add(result.difference_hash, result.thumbnail, name)
                if twin:
                    left_out[name] = f"near duplicate: of {twin}"
                    continue
            pack.add(result.pixels)
            used += 1
        _refuse_too_many_bad(source, config, bad, len(listing.images) + listing.bad, left_out)

    report = Report(used, left_out)
    try:
        write_text(report_path(out), report.as_json())
    except BaseException:
        out.unlink()  # neither without the other
        raise
    return report


def lock_of(pack: Path) -> Path:
    """The lock that who builds a pack holds."""
    return pack.with_name(f".{pack.name}.lock")


def report_path(pack: Path) -> Path:
    return pack.parent / f"{pack.stem}.report.json"


def _refuse_too_many_bad(
    source: Path, config: BuildConfig, bad: int, total: int, left_out: dict[str, str]
) -> None:
    if bad <= total * config.max_bad / 100 and bad < total:
        return
    examples = [
        f"{name} ({reason})"
        for name, reason in left_out.items()
        if Path(name).suffix.lower() in SUFFIXES and "duplicate" not in reason
    ]
    advice = "none is left" if bad == total else f"--max-bad is {config.max_bad:g} %"
    raise WorkError(
        f"{source}: {bad} of {total} images are bad, {advice}: {'; '.join(examples[:3])}"
    )


def cached_pack(
    source: Path, config: BuildConfig, cache: Path, track: Track = untracked
) -> tuple[Path, Report | None]:
    """The pack of `source` in the folder `cache`; if it had to be built, its report as well."""
    listing = list_source(source)
    key = json.dumps([str(source.resolve()), listing.digest, dataclasses.asdict(config)])
    stem = source.stem[:50]  # file names end at 255 bytes
    name = f"{stem}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors"
    path = cache / name
    if path.is_file():
        return path, None
    with locked(lock_of(path), path, wait=True):
        if path.is_file():
            return path, None
        return path, build_pack(source, path, config, track, listing=listing)


def open_pack(
    data: Path,
    config: BuildConfig,
    given: dict[str, Any],
    cache: Path,
    track: Track = untracked,
) -> tuple[Pack, Report | None]:
    """The pack of DATA, a folder, a zip or a pack; ingested if need be (then with its report).

    `given`: the settings of BuildConfig that were given, which a pack must have been built with.
    Raises UserError if it was not, or if its images are of a size that no network is made for.
    """
    if not is_pack(data):
        path, report = cached_pack(data, config, cache, track)
        return Pack(path), report
    pack = Pack(data)
    changes = changed_settings(pack.settings, given)
    if changes:
        raise UserError(f"{data}: built with other settings: {'; '.join(changes)}")
    check_size(pack.size)
    return pack, None
