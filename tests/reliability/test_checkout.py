"""The checkout may lie in any folder: that of `git clone`, one with spaces, a link, far down."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import rarely

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX paths")
PARTS = ("ganface", "tests", "scripts", "benchmarks", "pyproject.toml")
ENVIRONMENT = "tests/reliability/test_environment.py"
FAST = (
    *("tests/latents", "tests/test_scripts.py"),
    f"{ENVIRONMENT}::test_uses_of_the_locale_s_encoding_are_told_from_those_of_others",
)
FOLDERS = {
    "clone": "ganface",
    "spaces": "a b/100% $HOME 'x' & co/ganface",
    "alphabets": "дом/顔 ñ/ganface",
    "deep": "/".join(["ganface", "folder" * 4] * 12),
    "brackets": "a[dev]b/#1/ganface",
}


def copy_checkout(folder: Path) -> None:
    """Copy what the fast tests need."""
    folder.mkdir(parents=True)
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, folder / name)


def run_fast_tests(folder: Path) -> None:
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *FAST]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout.decode(errors="replace")


@pytest.mark.parametrize(
    "folder", ["spaces", *rarely(*[name for name in FOLDERS if name != "spaces"])]
)
def test_the_tests_pass_in_any_folder(tmp_path, folder):
    copy_checkout(tmp_path / FOLDERS[folder])
    run_fast_tests(tmp_path / FOLDERS[folder])


@pytest.mark.long
def test_the_tests_pass_in_a_folder_that_is_a_link(tmp_path):
    copy_checkout(tmp_path / "real")
    link = tmp_path / "ganface"
    link.symlink_to("real", target_is_directory=True)
    run_fast_tests(link)
