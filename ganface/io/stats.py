"""stats.jsonl: a line of figures for every tick of a training."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from ganface.io.atomic import append, write_text

TEXTS = ("verdict", "precision")  # all else is numbers, or null


class StatsFile:
    """The file of a run that goes on, written through at once.

    Lines past `step`, which a killed run may have written after its last checkpoint, are cut off.
    """

    def __init__(self, path: Path, step: int) -> None:
        there = read_lines(path) if path.exists() else []
        self.lines = [line for line in there if line["step"] <= step]
        write_text(path, "".join(map(_dumped, self.lines)))
        self._path = path

    def write(self, line: dict[str, Any]) -> None:
        append(self._path, _dumped(line))


def _dumped(line: dict[str, Any]) -> str:
    return json.dumps(line) + "\n"


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of the file. Half ones, of a run that goes on or was killed, and damaged ones are
    left out. Any key but `step` may be missing from a line, or null. Raises OSError."""
    lines = []
    for text in path.read_text("utf-8", "replace").splitlines():
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if _is_whole(line):
            lines.append(line)
    return lines


def _is_whole(line: Any) -> bool:
    if not (isinstance(line, dict) and type(line.get("step")) is int):
        return False
    return all(_fits(name, value) for name, value in line.items())


def _fits(name: str, value: Any) -> bool:
    if name in TEXTS or value is None:
        return isinstance(value, str) or value is None
    return type(value) in (int, float) and math.isfinite(value)
