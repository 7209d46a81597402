"""The entry points in scripts/."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file())
ENTRIES = [path for path in SCRIPTS if not path.suffix]


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.name)
def test_an_entry_point_is_a_program_that_is_checked(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith('#!/usr/bin/env python3\n"""')
    assert os.name != "posix" or os.access(path, os.X_OK)
    # ruff finds files without a suffix only by their names
    assert f'"scripts/{path.name}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for module in re.findall(r'run_benchmark\("(.*)"\)', text):
        assert (ROOT / "benchmarks" / module).is_file()


def test_modules_are_not_kept_among_them():
    assert [path.name for path in SCRIPTS if path.suffix] == ["environment.py"]
