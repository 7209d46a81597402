"""Packs that are made by themselves, once for each source and settings, and kept."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from ganface.config.architecture import check_size
from ganface.config.dataset import LABELLING, BuildConfig
from ganface.config.settings import changed_settings
from ganface.dataset.build import Report, build_pack, read_report
from ganface.dataset.pack import Pack, is_pack
from ganface.dataset.sources import list_source
from ganface.errors import UserError
from ganface.io.console import Track, untracked
from ganface.io.lock import locked


def cached_pack(
    source: Path, config: BuildConfig, cache: Path, track: Track = untracked
) -> tuple[Path, Report | None]:
    """The pack of `source` in the folder `cache`, built if need be; and its report, unless that is
    lost.

    While another process builds the same pack, this one waits. Raises as `build_pack` does.
    """
    listing = list_source(source)
    key = json.dumps([str(source.resolve()), listing.digest, *_settings_and_labels(config)])
    stem = source.stem[:50]  # file names end at 255 bytes
    name = f"{stem}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors"
    path = cache / name
    if path.is_file():
        return path, read_report(path)
    with locked(lock_of(path), path, wait=True):
        if path.is_file():
            return path, read_report(path)
        return path, build_pack(source, path, config, track, listing=listing)


def _settings_and_labels(config: BuildConfig) -> list[Any]:
    """What tells packs of the same source apart: the settings and, where a file holds labels, what
    it holds."""
    settings = dataclasses.asdict(config)
    if config.labels is None:
        return [{n: value for n, value in settings.items() if n not in LABELLING}]
    file = Path(config.labels)
    return [settings, hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""]


def open_pack(
    data: Path,
    config: BuildConfig,
    given: dict[str, Any],
    cache: Path,
    track: Track = untracked,
) -> tuple[Pack, Report | None]:
    """The pack of DATA, a folder, a zip or a pack; ingested if need be. Of a folder or zip there is
    a report, unless it is lost.

    `given`: the settings of BuildConfig that were given, which a pack must have been built with.
    Raises UserError if it was not, or if its images are of a size that no network is made for.
    """
    if not is_pack(data):
        path, report = cached_pack(data, config, cache, track)
        return Pack(path), report
    pack = Pack(data)
    if given.get("labels") is not None:
        raise UserError(f"--labels: {data} is a pack; labels enter it as it is built")
    changes = changed_settings([pack.settings], given)
    if changes:
        raise UserError(f"{data}: built with other settings: {'; '.join(changes)}")
    check_size(pack.size)
    return pack, None


def lock_of(pack: Path) -> Path:
    """The lock file that a process holds while it builds this pack."""
    return pack.with_name(f".{pack.name}.lock")
