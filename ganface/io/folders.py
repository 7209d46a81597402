"""Where files may be written, and what they are named after."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path

from ganface.errors import UserError


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


def names_of(paths: Iterable[Path]) -> list[str]:
    """A name for each, none like another: `name_of`, numbered where that is taken."""
    return told_apart(map(name_of, paths))


def told_apart(names: Iterable[str]) -> list[str]:
    """The names, numbered where one is taken."""
    found: list[str] = []
    for name in names:
        numbered = (f"{name}-{number}" for number in count(2))
        found.append(next(each for each in chain([name], numbered) if each not in found))
    return found


def as_file_name(text: str) -> str:
    """With "_" for what some file systems cannot write."""
    return re.sub(r"[^\w=.,+-]", "_", text)
