"""One process at a time. The lock is the operating system's and ends with the process."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from ganface.errors import UserError
from ganface.io.console import say
from ganface.system.signals import deferred

POLL = 0.2  # seconds between two looks at a lock that another process has


@contextmanager
def locked(path: Path, name: Path, wait: bool = False) -> Iterator[None]:
    """Hold the lock file `path` within the block; it is removed afterwards.

    name: what messages call the thing that is locked.
    If another process holds it: with `wait`, wait for it, and say so on stderr; else raise
    UserError, which names the process. Only for the main thread, which alone handles signals.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file, told = None, False
    try:
        while not file:
            with deferred():  # else a signal could leave a lock file that nobody removes
                file, holder = _take(path)
            if holder and not wait:
                raise UserError(f"{name}: in use by {holder}")
            if holder:
                if not told:
                    say(f"{name}: waiting for {holder}")
                told = True
                time.sleep(POLL)
        file.truncate(0)
        with suppress(OSError):  # on a full disk the file stays empty
            holder = f"process {os.getpid()} on {socket.gethostname()}\n"
            os.write(file.fileno(), holder.encode())
        yield
    finally:
        if file:
            with suppress(OSError):
                path.unlink()
            file.close()


def is_held(path: Path) -> bool:
    """Whether a process holds the lock file `path`, or will not say."""
    try:
        with open(path, "r+", encoding="utf-8") as file:  # closing it gives the lock back
            _lock_file(file)
    except FileNotFoundError:
        return False
    except OSError:  # taken, or not ours to try
        return True
    return False


def _take(path: Path) -> tuple[IO[str] | None, str]:
    """(the locked file, ""), or (None, who holds it), or (None, "") if it was removed meanwhile."""
    with ExitStack() as closing:
        file = closing.enter_context(open(path, "a+", encoding="utf-8"))
        try:
            _lock_file(file)
        except (BlockingIOError, PermissionError):  # on Windows it is the latter
            file.seek(0)
            return None, file.read().strip() or "another process"
        if not _is_at(path, file):
            return None, ""
        closing.pop_all()
        return file, ""


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock_file(file: IO[str]) -> None:
        file.seek(1_000_000)  # past the text, since others cannot read what is locked
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock_file(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
