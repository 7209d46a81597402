"""C compiled on the user's machine, for its processor, and kept in the cache folder."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ganface.io.folders import cache_folder

# No -ffast-math: GCC would switch off denormal numbers in the whole process
FLAGS = ("-O3", "-march=native", "-fopenmp", "-shared", "-fPIC")


class CannotCompile(Exception):
    """There is no compiler, or it failed."""


def compile_library(source: Path, macros: Mapping[str, str]) -> ctypes.CDLL:
    """The functions of `source`, a C file, compiled with `macros`, if not done before.

    OpenMP's threads are those of PyTorch, which must be imported before. Raises CannotCompile.
    """
    compiler = find_compiler()
    if not compiler:
        raise CannotCompile(
            "no C compiler" if sys.platform == "linux" else f"not on {sys.platform}"
        )
    command = [*compiler.split(), *FLAGS, *(f"-D{name}={text}" for name, text in macros.items())]
    key = "\n".join([source.read_text("utf-8"), *command, _processor()])
    name = f"{source.stem}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.so"
    cache = cache_folder()
    kept = cache / "compiled" / name if cache else None
    with suppress(OSError):  # not there, or damaged
        if kept:
            return ctypes.CDLL(str(kept))
    try:
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=kept and kept.parent) as folder:
            made = Path(folder) / name
            _run([*command, str(source), "-o", str(made)])
            library = ctypes.CDLL(str(made))  # stays loaded when the file is moved or removed
            if kept:
                os.replace(made, kept)
            return library
    except OSError as error:
        raise CannotCompile(str(error)) from error


def find_compiler() -> str | None:
    if sys.platform != "linux":
        return None
    return os.environ.get("CC") or shutil.which("cc")


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotCompile(f"{command[0]}: {error}") from error
    if done.returncode:
        line = (done.stderr.strip().splitlines() or ["failed"])[0]
        raise CannotCompile(f"{command[0]}: {line}")


@cache
def _processor() -> str:
    """What -march=native depends on; a cache folder may be shared between machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    kinds = ("model name", "flags", "Features", "CPU part")
    return "\n".join([platform.machine(), *sorted({x for x in lines if x.startswith(kinds)})])
