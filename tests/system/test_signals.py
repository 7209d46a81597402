"""Signals to real processes: what is stopped, or killed, can go on."""

import os
import random
import shlex
import signal
import subprocess
import sys
import time

import pytest
from conftest import PATIENCE, TINY, tree
from PIL import Image
from processes import start

from ganface.io.run import Run
from ganface.io.tensors import check_tensors

fcntl = pytest.importorskip("fcntl", reason="POSIX signals")
termios = pytest.importorskip("termios")
STEPS = 100_000
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
NAMES = ["SIGINT", "SIGTERM", "SIGHUP"]


@pytest.fixture
def spawn():
    """Start a command as a process of its own, which does not outlive the test.

    `anew`: with a new Python, as a user does it.
    """
    processes = []

    def begin(*arguments, anew=False):
        options = {"text": True, "start_new_session": True}
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [sys.executable, "-m", "ganface", *map(str, arguments)]
        process = subprocess.Popen(command, **options) if anew else start(*arguments, **options)
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def training(spawn, pack_file, tmp_path):
    """A training under way, past its first checkpoint."""
    return under_way(spawn, pack_file, tmp_path)


@pytest.fixture
def training_ignoring(spawn, pack_file, tmp_path):
    """A training under way, started by somebody who has these signals ignored."""

    def start(*numbers):
        previous = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
        try:
            return under_way(spawn, pack_file, tmp_path)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    return start


def under_way(spawn, pack_file, tmp_path):
    run = Run(tmp_path / "the run")
    options = ("--steps", STEPS, "--checkpoint-every", 5, "--seeds", "0-3")
    process = spawn("train", pack_file, "--out", run.path, *TINY, *options)
    for line in process.stderr:
        if line.startswith("step "):
            return process, run
    raise AssertionError("no step was reported")


@pytest.mark.parametrize(("number", "code"), SIGNALS, ids=NAMES)
def test_a_signal_stops_a_training_with_a_checkpoint_and_how_to_go_on(
    training, invoke, number, code
):
    process, run = training
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert out == ""
    last = err.splitlines()[-1]
    step = max(run.checkpoints())
    start = f"ganface: stopped at step {step}; a checkpoint is saved. To go on: ganface "
    assert last.startswith(start)
    assert "Traceback" not in err
    result = invoke(*shlex.split(last.removeprefix(start)), "--steps", step + 2)
    assert result.code == 0
    assert f"going on from step {step}" in result.err
    assert max(run.checkpoints()) == step + 2


@pytest.mark.parametrize("pause", [0.0005, 0.002, 0.01])
def test_a_second_ctrl_c_stops_at_once_and_loses_nothing_that_is_saved(training, invoke, pause):
    process, run = training
    process.send_signal(signal.SIGINT)
    time.sleep(pause)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("ganface: stopped at")
    assert not list(run.path.rglob("*.tmp"))
    for path in run.checkpoints().values():
        check_tensors(path)
    step = max(run.checkpoints())
    command = shlex.split(last.partition("To go on: ganface ")[2])
    assert invoke(*command, "--steps", step + 2).code == 0


@pytest.mark.parametrize("first", [signal.SIGHUP, signal.SIGTERM])
def test_only_ctrl_c_is_in_a_hurry(pack_file, tmp_path, spawn, first):
    """bash and the kernel both send SIGHUP when a terminal closes, systemd may after SIGTERM."""
    run = Run(tmp_path / "run")
    process = spawn("train", pack_file, "--out", run.path, *TINY, "--steps", STEPS)
    for line in process.stderr:
        if line.startswith("step "):
            break
    process.send_signal(first)
    time.sleep(0.003)
    process.send_signal(signal.SIGHUP)
    _, err = process.communicate(timeout=PATIENCE)
    # If it was not its turn in between, both came at once, the lower number first
    assert process.returncode in (128 + first, 128 + signal.SIGHUP)
    (step,) = run.checkpoints()
    assert f"stopped at step {step}; a checkpoint is saved." in err


def test_a_signal_that_was_ignored_from_the_start_stays_so(training_ignoring):
    """As under nohup, or in the background of a script."""
    process, run = training_ignoring(signal.SIGHUP, signal.SIGINT)
    before = max(run.checkpoints())
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + PATIENCE
    while max(run.checkpoints()) <= before + 10 and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    assert max(run.checkpoints()) > before + 10
    process.terminate()
    assert process.wait(PATIENCE) == 143


@pytest.mark.parametrize("shell", [[], ["bash", "--norc", "-i", "-c"]], ids=["alone", "shell"])
def test_a_training_whose_terminal_is_closed_saves_and_stops(pack_file, tmp_path, invoke, shell):
    run, (leader, follower) = Run(tmp_path / "run"), os.openpty()
    command = ("train", pack_file, "--out", run.path, *TINY, "--steps", STEPS, "--seeds", "0-3")
    options = {"stdin": follower, "stdout": follower, "stderr": follower}

    def take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.close(leader)  # a copy of this process would hold it open, and never be hung up
        os.close(follower)

    if shell:
        line = shlex.join([sys.executable, "-m", "ganface", *map(str, command)])
        process = subprocess.Popen([*shell, line + "; :"], preexec_fn=take_terminal, **options)
    else:
        process = start(*command, preexec_fn=take_terminal, **options)
    os.close(follower)
    while not run.stats.exists() or not run.stats.read_text():
        os.read(leader, 100_000)  # as a terminal would
    os.close(leader)  # which hangs up: SIGHUP, and every write to it fails from now on
    assert process.wait(PATIENCE) in ((129, -signal.SIGHUP) if shell else (129,))
    deadline = time.monotonic() + PATIENCE
    while not run.checkpoints() and time.monotonic() < deadline:
        time.sleep(0.05)  # the shell does not wait for it
    (step,) = run.checkpoints()
    while (run.path / ".lock").exists():
        time.sleep(0.05)
    again = invoke("train", pack_file, "--out", run.path, "--resume", "--steps", step + 2)
    assert again.code == 0
    assert f"going on from step {step}" in again.err


def test_a_training_goes_on_when_nobody_hears_it_any_more(training):
    process, run = training
    before = max(run.checkpoints())
    process.stderr.close()
    process.stdout.close()
    deadline = time.monotonic() + PATIENCE
    while max(run.checkpoints()) <= before + 50 and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    assert process.wait(PATIENCE) == 143


def test_a_killed_training_goes_on_from_its_last_checkpoint(training, pack_file, invoke):
    process, run = training
    process.kill()
    process.wait(PATIENCE)
    step = max(run.checkpoints())
    result = invoke("train", pack_file, "--out", run.path, "--resume", "--steps", step + 2)
    assert result.code == 0
    assert f"going on from step {step}" in result.err
    assert not list(run.path.rglob("*.tmp"))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("number", "code"), SIGNALS, ids=NAMES)
def test_a_signal_stops_an_ingestion_and_leaves_nothing(spawn, tmp_path, number, code, workers):
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    first = source / "0.png"
    Image.new("RGB", (4000, 4000)).save(first, compress_level=1)  # slow to decode, quick to make
    for copy in range(1, 100):
        (source / f"{copy}.png").hardlink_to(first)
    command = ("dataset", "build", source, out / "pack.safetensors", "--workers", workers)
    process = spawn(*command, anew=True)
    deadline = time.monotonic() + PATIENCE
    while not (out.exists() and list(out.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert stdout == ""
    assert "Traceback" not in stderr
    assert tree(out) == {}


def test_a_signal_at_any_moment_of_an_ingestion_ends_all_its_processes_in_silence(
    spawn, tmp_path, tries
):
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    for number in range(40):  # so many that the last signal still finds work
        first = source / f"{number}-0.bmp"
        Image.new("RGB", (1000, 1000), (number, 0, 0)).save(first)
        for copy in range(1, 25):
            (source / f"{number}-{copy}.bmp").hardlink_to(first)
    for attempt in tries(6, 100):
        dice = random.Random(attempt)
        command = ("dataset", "build", source, out / "pack.safetensors", "--workers", 2)
        process = spawn(*command, anew=True)
        time.sleep(dice.uniform(0.25, 0.8))
        number = dice.choice((signal.SIGINT, signal.SIGTERM))
        # To all of its group, as a terminal does it, or to the command alone
        dice.choice((os.kill, os.killpg))(process.pid, number)
        _, stderr = process.communicate(
            timeout=PATIENCE
        )  # until no worker is left that could write
        if out.exists():  # and all of it, if the signal came as all was done
            assert set(tree(out)) in (set(), {"pack.safetensors", "pack.report.json"}), attempt
        # Python itself: before the command has begun, or in a destructor, where exceptions are lost
        if not ("KeyboardInterrupt" in stderr or "Exception ignored" in stderr):
            assert (process.returncode, stderr) == (128 + number, ""), attempt


def test_the_installed_command_and_the_module_are_the_same(spawn, pack_file):
    process = spawn("info", pack_file, anew=True)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "images: 100" in out.splitlines()
