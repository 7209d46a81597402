"""The virtual environment that the scripts beside this file run in."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
BIN = FOLDER / ("Scripts" if os.name == "nt" else "bin")


def prepare(extras: str = "") -> None:
    """Make .venv and install ganface into it, unless that was done and pyproject.toml is the same.

    `extras`: such as "[dev]".
    """
    if sys.version_info < (3, 10):  # noqa: UP036 (a script may be started with any Python)
        sys.exit(f"ganface needs Python 3.10 or newer; this is {sys.version.split()[0]}")
    stamp = FOLDER / f"installed{extras}"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print("Installing into .venv; PyTorch is large, this takes some minutes the first time.")
    if not (BIN / "pip").exists() and not (BIN / "pip.exe").exists():
        venv.create(FOLDER, with_pip=True, clear=True)
    run("python", "-m", "pip", "install", "--quiet", "--editable", f".{extras}")
    stamp.write_text(wanted)


def run(program: str, *arguments: str, cwd: Path | None = ROOT) -> None:
    """Run a program of the environment, in the project's folder if not told otherwise.

    If it fails, so do we.
    """
    result = subprocess.run([BIN / program, *arguments], cwd=cwd, check=False)
    if result.returncode:
        sys.exit(result.returncode)


def run_benchmark(name: str) -> None:
    """Set everything up, and run a module of benchmarks/ with this command's arguments.

    It runs in the user's folder: arguments may be relative paths.
    """
    prepare()
    run("python", str(ROOT / "benchmarks" / name), *sys.argv[1:], cwd=None)
