"""A folder or zip of images -> a pack, and a report of what was left out and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ganface.config.dataset import TEXTS, BuildConfig
from ganface.dataset.decode import SUFFIXES, BadImageError, decode
from ganface.dataset.duplicates import NearDuplicates, difference_hash, thumbnail_of
from ganface.dataset.labels import read_labels
from ganface.dataset.pack import write_pack
from ganface.dataset.sources import (
    Listing,
    count_reasons,
    describe_left_out,
    list_source,
    read_image,
)
from ganface.errors import WorkError
from ganface.io.atomic import remove_leftovers, write_text
from ganface.io.console import Track, one_line, say, show_counts, untracked
from ganface.system.parallel import map_in_order

CHUNK, CHUNK_BYTES = 32, 2**20  # images handed to a worker at once, and what they come to


@dataclass(frozen=True)
class Report:
    """What became of every file. A reason is "kind" or "kind: detail"."""

    used: int
    left_out: dict[str, str]
    labels: dict[str, dict[str, int]] = field(default_factory=dict)  # images with each value
    notes: list[str] = field(default_factory=list)  # on labels
    read_again: Path | None = None  # the file of it, if the pack was there already

    @property
    def counts(self) -> dict[str, int]:
        return count_reasons(self.left_out)

    def show(self) -> None:
        """Say on stderr how many files were used and why others were not.

        Of a pack that was there already, only what was left out.
        """
        if self.read_again:
            if self.left_out:
                why = describe_left_out(self.left_out)
                say(one_line(f"{self.used} images used, {why} (by name in {self.read_again})"))
            return
        left_out = {f"left out: {reason}": count for reason, count in self.counts.items()}
        show_counts("images", {"used": self.used, **left_out})
        for name, counts in self.labels.items():
            unknown = self.used - sum(counts.values())
            show_counts(name, {**counts, **({"not known": unknown} if unknown else {})})
        for note in self.notes:
            say(one_line(note))

    def as_json(self) -> str:
        left_out = [{"name": n, "reason": r} for n, r in sorted(self.left_out.items())]
        report = {"used": self.used, "counts": self.counts, "left_out": left_out}
        report |= {"labels": self.labels, "notes": self.notes} if self.labels else {}
        return json.dumps(report, indent=1) + "\n"


def build_pack(
    source: Path,
    out: Path,
    config: BuildConfig,
    track: Track = untracked,
    workers: int | None = None,
    listing: Listing | None = None,
) -> Report:
    """Write `source`'s images to the pack `out`, and the report beside it.

    The pack is the same bit for bit for the same names, bytes and settings. The caller holds its
    lock, see `dataset.cache.lock_of`.
    Raises UserError if there is nothing to read, WorkError if too much of it is bad.
    """
    listing = listing or list_source(source)
    left_out = {
        name: reason
        for name, reason in listing.left_out.items()
        if not _holds_labels(source, config.labels, name)
    }
    bad = listing.bad
    seen: dict[bytes, str] = {}
    near = NearDuplicates()
    used: list[str] = []
    source_of_labels = read_labels(source, config, listing.images)
    remove_leftovers(out.parent, out.name)

    ingest = partial(_ingest, source, config)
    chunk = max(1, min(CHUNK, CHUNK_BYTES // (3 * config.size**2)))
    results: Iterator[_Ingested | str] = map_in_order(
        ingest, listing.images, workers, chunk, "its decoder crashed"
    )
    named = zip(listing.images, results, strict=True)
    with write_pack(out, config) as pack:
        if source_of_labels:  # what is wrong with them is said before the work
            pack.labels, _ = source_of_labels.of(listing.images)
            pack.header_of(len(listing.images))
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
                other = near.find_or_add(result.difference_hash, result.thumbnail, name)
                if other:
                    left_out[name] = f"near duplicate: of {other}"
                    continue
            pack.add(result.pixels)
            used.append(name)
        _refuse_too_many_bad(source, config, bad, len(listing.images) + listing.bad, left_out)
        notes: list[str] = []
        if source_of_labels:
            pack.labels, notes = source_of_labels.of(used)
        counts = pack.labels.counts if pack.labels else {}

    report = Report(len(used), left_out, counts, notes)
    try:
        write_text(report_path(out), report.as_json())
    except BaseException:
        out.unlink()  # neither without the other
        raise
    return report


def _holds_labels(source: Path, labels: str | None, name: str) -> bool:
    """Whether the file is what --labels means, so that nobody misses it among the images."""
    if labels is None or labels == TEXTS:
        return labels == TEXTS and name.endswith(".txt")
    file = Path(labels)
    return file.name == Path(name).name and file.resolve() == (source / name).resolve()


def report_path(pack: Path) -> Path:
    return pack.parent / f"{pack.stem}.report.json"


def read_report(pack: Path) -> Report | None:
    """The report of a pack that was built before, if it is still there."""
    path = report_path(pack)
    try:
        report = json.loads(path.read_text("utf-8"))
        left_out = {str(each["name"]): str(each["reason"]) for each in report["left_out"]}
        return Report(int(report["used"]), left_out, read_again=path)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


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


@dataclass(frozen=True)
class _Ingested:
    pixels: bytes  # uint8 [3, size, size]
    difference_hash: int
    thumbnail: bytes  # uint8 [4, 4, 3]


def _ingest(source: Path, config: BuildConfig, name: str) -> _Ingested | str:
    """One image as it goes into the pack, or the reason why it does not."""
    try:
        image = decode(read_image(source, name), config)
    except BadImageError as error:
        return str(error)
    except MemoryError:
        return "needs more memory than there is"
    pixels = b"".join(image.tobytes("raw", band) for band in "RGB")
    if config.dedupe != "near":
        return _Ingested(pixels, 0, b"")
    return _Ingested(pixels, difference_hash(image), thumbnail_of(image))
