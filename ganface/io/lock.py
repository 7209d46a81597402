"""One process at a time. The lock is the operating system's and ends with the process."""

from __future__ import annotations

import os
import socket
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
    """Hold the lock file `path`, for what `name` tells users, against other processes.

    If another process has it: with `wait` its end is waited for, and that is said on stderr;
    else UserError, which names the process, is raised. The lock file is gone afterwards.
    For the main thread.
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
        with suppress(OSError):  # a full disk does not take whose it is
            holder = f"process {os.getpid()} on {socket.gethostname()}\n"
            os.write(file.fileno(), holder.encode())
        yield
    finally:
        if file:
            with suppress(OSError):
                path.unlink()
            file.close()


def _take(path: Path) -> tuple[IO[str] | None, str]:
    """The lock file, locked; or else who has it, which is "" if that one has just removed it."""
    with ExitStack() as closing:
        file = closing.enter_context(open(path, "a+", encoding="utf-8"))
        try:
            _lock_file(file)
        except (BlockingIOError, PermissionError):  # the latter is Windows'
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


if os.name == "nt":
    import msvcrt

    def _lock_file(file: IO[str]) -> None:
        file.seek(1_000_000)  # far behind the text, which others must be able to read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock_file(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
