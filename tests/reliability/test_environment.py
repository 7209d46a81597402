"""Odd surroundings: clocks that jump, other locales, no home, nobody at the other end."""

import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import TINY, draw_folder, rarely
from processes import run as run_command
from processes import several, start
from runs import content, train

import ganface.cli.main
from ganface.io.run import Run

pty = pytest.importorskip("pty", reason="POSIX")

LOCALES = {
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "POSIX, no LANG": {"LC_ALL": "POSIX", "LANG": ""},
    "Chinese": {"LC_ALL": "zh_CN.GB18030", "PYTHONIOENCODING": "gb18030", "PYTHONUTF8": "0"},
    "Chinese, stderr as ASCII": {"LANG": "zh_CN.GBK", "PYTHONIOENCODING": "ascii:strict"},
    "Turkish": {"LC_ALL": "tr_TR.UTF-8"},
    "unknown": {"LC_ALL": "xx_YY.nonsense"},
}


def anew(command, **env):
    return subprocess.run(command, capture_output=True, env={**os.environ, **env})


def words(*arguments):
    return [sys.executable, "-m", "ganface", *map(str, arguments)]


def done(result):
    assert result.returncode == 0, result.stderr
    assert b"Traceback" not in (result.stderr or b"")
    return result


@pytest.mark.parametrize("locale", ["C", *rarely(*list(LOCALES)[1:])])
def test_names_of_any_alphabet_work_in_any_locale(tmp_path, locale):
    env = LOCALES[locale]
    source = draw_folder(tmp_path / "动漫 лица ñ", range(12))
    for name in ("脸.png", "ß\nline.png", "\udcff.png", "😀.png"):
        shutil.copy(source / "000.png", source / name)
    run = tmp_path / "учёба"
    commands = [
        ("train", source, "--out", run, *TINY, "--steps", 10),
        ("train", source, "--out", run, "--steps", 20, "--resume"),
        ("sample", run, "--out", tmp_path / "图.png"),
        ("plot", run, "--out", tmp_path / "график.png"),
        ("info", run, "--json"),
    ]
    *_, told = done(anew(several(*commands), **env)).stdout.splitlines()
    assert json.loads(told)["step"] == 20
    refused = anew(words("info", tmp_path / "无.png"), **env)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1


WARN = ("-X", "warn_default_encoding")


def warned(command):
    """Which of ganface's files used the locale's encoding. Python names them on stderr, which is
    told as well."""
    # The folder of the package: those above it may be called ganface too, and hold other packages
    ours = os.fsencode(Path(ganface.__file__).resolve().parent) + b"/"
    told = done(anew(command)).stderr
    found = [re.match(rb"(.+):\d+: EncodingWarning", line) for line in told.splitlines()]
    paths = [os.path.realpath(match[1]) for match in found if match]
    return [path for path in paths if path.startswith(ours)], told


# Opens a file in the locale's encoding, as if one of ganface's own lines did. PyTorch does so too
PLANTED = """
import torch
import ganface.cli.main as ours
exec(compile("open(0, closefd=False)", ours.__file__, "exec"))
"""


def test_uses_of_the_locale_s_encoding_are_told_from_those_of_others():
    planted = os.path.realpath(ganface.cli.main.__file__)
    found, told = warned([sys.executable, *WARN, "-c", PLANTED])
    assert found == [os.fsencode(planted)], told


def test_nothing_is_read_or_written_in_the_locale_s_encoding(tiny_run, faces, tmp_path):
    commands = [
        ("train", faces, "--out", tmp_path / "run", *TINY, "--steps", 2),
        ("train", faces, "--out", tmp_path / "run", "--steps", 3, "--resume"),
        ("plot", tiny_run.path),
        ("info", tiny_run.path),
    ]
    found, told = warned(several(*commands, flags=WARN))
    assert found == [], told


HOMELESS = """
import os, pwd

def unknown(*_):
    raise KeyError("no such user")  # as in a container that runs as a mere number

pwd.getpwuid = unknown
"""


@pytest.mark.parametrize("place", ["/dev/null", *rarely("relative/home", None)])
def test_without_a_home_that_can_be_written_to_packs_lie_with_the_run(
    faces, tmp_path, monkeypatch, place
):
    for name in ("HOME", "XDG_CACHE_HOME", "TORCHINDUCTOR_CACHE_DIR", "USER", "LOGNAME"):
        monkeypatch.delenv(name, raising=False)
    if place is not None:
        monkeypatch.setenv("HOME", place)
    out = tmp_path / "out"
    train = ("train", faces, "--out", out, *TINY, "--compile", "on")
    done(anew(several((*train, "--steps", 2), (*train, "--resume", "--steps", 4), begin=HOMELESS)))
    assert len(list((out / "cache").glob("*.safetensors"))) == 1
    assert not any(Path().iterdir())


@pytest.mark.parametrize("command", ["info", "--help", "sample"])
def test_a_reader_that_has_had_enough_is_no_error(tiny_run, command):
    arguments = {"info": ("info", tiny_run.path), "--help": ("train", "--help")}
    arguments |= {"sample": ("sample", tiny_run.path, "--images", "--json")}
    reader, writer = os.pipe()
    os.close(reader)
    if command == "sample":
        result = run_command(*arguments[command], stdout=writer)
    else:
        command = words(*arguments[command])
        result = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", *rarely(">&-", "2>&-", ">&- 2>&-")])
def test_closed_streams_stop_nothing(pack_file, tmp_path, tiny_run, closed):
    train = ("train", pack_file, "--out", tmp_path / "run", "--steps", 3, *TINY)
    commands = several(train, ("info", tiny_run.path), ("sample", tiny_run.path))
    for command, code in ((commands, 0), (words("info", "/nothing"), 2)):
        line = f"{shlex.join(command)} {closed}"
        assert subprocess.run(["sh", "-c", line]).returncode == code
    assert Run(tmp_path / "run").timeline.exists()


@pytest.mark.parametrize("columns", [1, *rarely(20)])
def test_a_terminal_of_few_columns_shows_a_training(pack_file, tmp_path, columns):
    import fcntl
    import struct
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 5, columns, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = ("train", pack_file, "--out", tmp_path / "run", *TINY, "--steps", 20)
    process = start(*command, stdout=follower, stderr=follower, env=env)
    os.close(follower)
    shown = b""
    while True:
        try:
            shown += os.read(leader, 100_000)
        except OSError:  # Linux's way of saying that it is closed
            break
    os.close(leader)
    assert process.wait() == 0
    assert b"Traceback" not in shown


@pytest.mark.parametrize(
    "env",
    [
        {"COLUMNS": "0"},
        *rarely({"TERM": "dumb"}, {"TERM": ""}, {"COLUMNS": "20"}, {"COLUMNS": "x"}),
    ],
    ids=str,
)
def test_odd_terminals_change_nothing_off_a_terminal(pack_file, tmp_path, env):
    command = ("train", pack_file, "--out", tmp_path / "run", *TINY, "--steps", 10)
    env = {**os.environ, **env}
    done(run_command(*command, env=env))
    assert b"--steps" in done(run_command("train", "--help", env=env)).stdout


def jump():
    """Let the clock say anything at all from now on."""
    dice, now = random.Random(0), time.time
    time.time = lambda: now() + dice.uniform(-1e9, 1e9)
    time.time_ns = lambda: int(time.time() * 1e9)


@pytest.mark.skipif(sys.platform != "linux", reason="changes the clock of a copied process")
def test_a_clock_that_jumps_changes_nothing(pack_file, tmp_path, undisturbed, monkeypatch):
    run = Run(tmp_path / "run")

    def jumping(*arguments):
        return done(run_command(*arguments, preexec_fn=jump)).returncode

    monkeypatch.setattr("runs.call", jumping)
    assert train(pack_file, run, "--steps", 30) == 0
    for path in run.path.rglob("*"):
        os.utime(path, (2**33, 2**33))  # in the year 2242
    assert train(pack_file, run, "--resume") == 0
    found, expected = content(run), content(undisturbed)
    assert found["stats.jsonl"] == expected["stats.jsonl"]
    newest = "checkpoints/step-000060.safetensors"
    assert found[newest][1] == expected[newest][1]
