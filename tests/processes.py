"""Commands as processes of their own, without the seconds in which each one loads PyTorch."""

import os
import signal
import subprocess
import sys
import traceback
from contextlib import suppress

from conftest import PATIENCE

from ganface.cli.main import main

SEVERAL = """
import sys
from ganface.cli.main import main
stdout, stderr, words = sys.stdout, sys.stderr, sys.argv[1:]
while words:
    command = words[:words.index("+")]
    sys.argv[1:], sys.stdout, sys.stderr = command, stdout, stderr
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise SystemExit(f"{command}: exit {end.code}")
    del words[:len(command) + 1]
"""


def several(*commands: tuple, flags: tuple[str, ...] = (), begin: str = "") -> list[str]:
    """What runs these commands one after the other in one new Python, until one fails.

    `flags` are Python's own, `begin` is what it does first.
    """
    return [sys.executable, *flags, "-c", begin + SEVERAL, *in_one(commands)]


def in_one(commands) -> list[str]:
    """The words of these commands, each of which a + ends."""
    return [str(word) for command in commands for word in (*command, "+")]


def run(*arguments: object, **options) -> subprocess.CompletedProcess:
    """Run a command as `start` does: what it ended with, and said."""
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with start(*arguments, **given) as process:
        out, err = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def start(*arguments: object, preexec_fn=lambda: None, env=None, **options) -> subprocess.Popen:
    """Start a command as a process of its own, which on Linux this one is copied for."""
    if sys.platform != "linux":
        command = [sys.executable, "-m", "ganface", *map(str, arguments)]
        return subprocess.Popen(command, preexec_fn=preexec_fn, env=env, **options)
    import ganface.training.loop  # noqa: F401  that each copy has it

    ours = open_files()

    def work() -> None:
        code = 1
        try:
            preexec_fn()
            for number in open_files() - ours:
                os.close(number)  # that tells Popen that the command has begun
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            if env is not None:
                os.environ.clear()
                os.environ.update(env)
            sys.argv = ["ganface", *map(str, arguments)]
            sys.stdin = open(0, closefd=False)  # noqa: SIM115
            sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
            sys.stderr = open(2, "w", 1, closefd=False)  # noqa: SIM115
            main()
        except SystemExit as end:
            code = end.code or 0
            with suppress(OSError):
                sys.stdout.flush()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    return subprocess.Popen([sys.executable], preexec_fn=work, **options)


def popen(command: list[str], **options) -> subprocess.Popen:
    """What Popen does of `python -m ganface …`, as `start` does it."""
    assert command[:3] == [sys.executable, "-m", "ganface"]
    return start(*command[3:], **options)


def open_files() -> set[int]:
    numbers = map(int, os.listdir("/proc/self/fd"))
    return {number for number in numbers if number > 2 and is_open(number)}


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:  # the one with which the list was read
        return False
    return True
