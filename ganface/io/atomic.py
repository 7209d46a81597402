"""Files that appear whole or not at all, whatever ends the process."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ganface.errors import CannotWriteError

TEMPORARY = ".tmp"


@contextmanager
def atomic(path: Path, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file that appears under `path` whole or not at all.

    durable: wait until it is on the disk, so that it survives a power cut. That takes longer than
    drawing a face, so pictures that can be drawn again need not be. Raises CannotWriteError.
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


def write_text(path: Path, text: str, durable: bool = True) -> None:
    """Write `text` in UTF-8 to a file that appears whole or not at all. `durable`: see `atomic`.
    Raises CannotWriteError."""
    with atomic(path, durable) as file:
        file.write(text.encode())


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


def remove_leftovers(folder: Path, name: str | None = None) -> None:
    """Remove what killed processes left half written in `folder`, of files of any name or of one.

    The caller must be the only writer of such files there: what another process is still writing
    would be removed as well.
    """
    for leftover in folder.glob(f".{glob.escape(name) if name else '*'}.*{TEMPORARY}"):
        leftover.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """What the disk refuses within the block is an error that names `path`."""
    try:
        yield
    except OSError as error:
        raise CannotWriteError(f"{path}: cannot be written ({error.strerror or error})") from error
