import json

import pytest
import torch

from ganface.models.kernels.winograd import load_libraries, load_library
from ganface.system.compiler import CannotCompile

SHAPE = ("--size", 32, "--width", 16, "--z-dim", 8, "--batch-size", 8, "--seeds", "0-3")


def config(run):
    return json.loads((run / "config.json").read_text())


@pytest.fixture
def train(pack_file, invoke):
    """train(run, *options): a training of networks that the compiled kernels fit."""

    def command(run, *options):
        return invoke("train", pack_file, "--out", run, *SHAPE, "--checkpoint-every", 2, *options)

    return command


@pytest.fixture
def _compiler():
    try:
        load_libraries(torch.float32)
    except CannotCompile as error:
        pytest.skip(f"nothing to compile with: {error}")


@pytest.mark.usefixtures("_compiler")
def test_a_resumed_run_keeps_the_kernels_it_began_with(train, home):
    straight, parted, plain = home / "straight", home / "parted", home / "plain"
    assert "compiled kernels" in train(straight, "--steps", 4, "--compile", "on").err
    train(parted, "--steps", 2, "--compile", "on").done()
    assert "compiled kernels" in train(parted, "--steps", 4, "--resume").err
    assert "PyTorch kernels" in train(plain, "--steps", 4, "--compile", "off").err
    snapshots = [(run / "generator.safetensors").read_bytes() for run in (straight, parted, plain)]
    assert snapshots[0] == snapshots[1] != snapshots[2]
    assert [config(run)["compiled"] for run in (parted, plain)] == [True, False]


@pytest.mark.usefixtures("_compiler")
def test_kernels_are_compiled_for_runs_that_earn_it(train, home):
    assert "PyTorch kernels" in train(home / "short", "--steps", 1).err
    long = train(home / "long", "--steps", 100)
    assert "compiled kernels" in long.err


def test_without_a_compiler_only_who_insists_is_refused(train, home, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    load_library.cache_clear()  # as in a new process
    line = train(home / "run", "--steps", 1, "--compile", "on").refused()
    assert "no-such-compiler" in line
    assert "--compile off" in line
    assert "PyTorch kernels" in train(home / "run", "--steps", 100).err


def test_a_resumed_run_keeps_its_thread_count(train, home, monkeypatch):
    train(home / "run", "--steps", 1).done()
    began = config(home / "run")["threads"]
    told = []
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    train(home / "run", "--steps", 2, "--resume").done()
    assert told == [began]
