"""Whole searches of tiny trainings, which on Linux need not load PyTorch each time."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from conftest import PATIENCE, draw_folder
from processes import popen, start

from ganface.errors import UserError, WorkError
from ganface.io.run import Run
from ganface.methods.gan import Gan
from ganface.search import draws, search, trainings

CPU = torch.device("cpu")


@pytest.fixture
def begun(monkeypatch, tiny_run):  # noqa: ARG001  a run in this process loads what copies then have
    """The names of the trainings that were begun; they are of two kinds, and tiny."""
    names = []

    def begin(command, **options):
        names.append(Path(command[command.index("--out") + 1]).name)
        return popen(command, **options)

    monkeypatch.setattr(trainings, "Popen", begin)
    for kind in ("ns", "lsgan", "wgan-gp"):
        monkeypatch.delitem(draws.KINDS, kind)
    for module in (search, trainings):
        monkeypatch.setattr(module, "WIDTH", 4)
    return names


@pytest.fixture
def look(begun, pack_file, home):  # noqa: ARG001
    """look(draws): a search in the folder `s`."""

    def run(number, budget=2, seed=0):
        return search.search(
            pack_file, home / "s", number, home / "cache", CPU, budget=budget, seed=seed
        )

    return run


def test_a_search_trains_and_measures_each_draw_and_goes_on(look, begun, home, capfd, monkeypatch):
    found = look(1)
    assert begun == ["hinge-default", "vae-default", "hinge-1", "vae-1"]
    assert found == json.loads((home / "s/search.json").read_text())
    each = found["trainings"]["hinge-1"]
    config = json.loads((home / "s/runs/hinge-1/config.json").read_text())
    assert config["train"].items() >= {**each["settings"], "loss": "hinge", "steps": 2}.items()
    assert each["figures"].keys() >= {"frechet", "swd", "coverage"}
    assert each["failed"] is None
    assert each["verdict"].startswith("too early to tell")
    assert found["summary"]["vae"]["draws"] == 1
    assert found["summary"]["vae"]["best"] == found["trainings"]["vae-1"]["figures"]["frechet"]
    assert found["count"] == 50
    assert not list((home / "s").rglob("checkpoints/*"))
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == f"4 trainings of 2 updates, 1 at a time, in {home / 's'}"
    assert lines[3].startswith(f"3 of 4: hinge-1: {draws.describe(each['settings'])}: Fréchet dis")
    assert lines[3].endswith(" left")

    # A larger one keeps what is there
    del begun[:]
    monkeypatch.delitem(draws.KINDS, "vae")
    more = look(2)
    assert begun == ["hinge-2"]
    assert more["trainings"].keys() == found["trainings"].keys() | {"hinge-2"}
    assert more["trainings"]["hinge-1"] == each

    # Other settings are none of this search's
    for other in ({"budget": 3}, {"seed": 1}):
        with pytest.raises(UserError, match=f"another {next(iter(other))}"):
            look(2, **other)
    stored = json.loads((home / "s/search.json").read_text())
    stored["trainings"]["hinge-1"]["settings"]["lr"] = 0.5
    (home / "s/search.json").write_text(json.dumps(stored))
    with pytest.raises(UserError, match="another draw hinge-1"):
        look(2)
    (home / "s/search.json").write_text("{}")
    with pytest.raises(UserError, match="damaged"):
        look(2)


def test_what_fails_is_counted_and_not_tried_again(look, begun, capfd, monkeypatch):
    def fail(method, state, *_):
        for weights in state.networks["G"].parameters():
            weights.data.fill_(torch.nan)
        return torch.full((len(method.metrics),), torch.nan)

    monkeypatch.setattr(Gan, "update", fail)
    monkeypatch.delitem(draws.KINDS, "vae")
    found = look(1)
    assert found["summary"]["hinge"]["failed"] == found["summary"]["hinge"]["draws"] == 1
    assert found["summary"]["hinge"]["default"] is None
    assert found["trainings"]["hinge-1"]["figures"] is None
    assert found["trainings"]["hinge-1"]["failed"].startswith("not a number: at step")
    assert ": failed: not a number: at step" in capfd.readouterr().err
    del begun[:]
    assert look(1)["trainings"] == found["trainings"]
    assert begun == []


def test_a_training_that_is_refused_stops_the_search(look, home):
    (home / "s/runs/hinge-default").mkdir(parents=True)
    (home / "s/runs/hinge-default/other").touch()
    with pytest.raises(
        WorkError, match=r"hinge-default: ended with exit code 2 .*no run directory"
    ):
        look(1)


def test_a_training_that_finds_no_memory_says_nothing_of_its_settings(look, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(Gan, "update", fail)
    with pytest.raises(WorkError, match=r"hinge-default: ended with exit code 1 .*memory"):
        look(1)


def test_a_signal_stops_trainings_with_a_checkpoint_and_they_go_on(
    look, home, pack_file, monkeypatch
):
    update, go = Gan.update, home / "go"

    def slow(method, state, *arguments):
        if state.step > 10 and not go.exists():
            time.sleep(1)
        return update(method, state, *arguments)

    monkeypatch.setattr(Gan, "update", slow)
    monkeypatch.delitem(draws.KINDS, "vae")
    run = Run(home / "s/runs/hinge-default")
    command = ("compare", "--search", 1, pack_file, "--out", "s", "--budget", 20, "--device", "cpu")
    with start(*command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + PATIENCE
        while not run.stats.exists() or not run.stats.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert err.splitlines()[-1] == (
        "ganface: stopped; 0 of 2 trainings are done. To go on: the same command with --out s "
        "--resume"
    )
    (step,) = run.checkpoints()
    assert 10 < step < 20
    with run.lock():  # nobody has it any more
        pass

    go.touch()
    assert look(0, budget=20)["trainings"]["hinge-default"]["figures"]
    assert f"going on from step {step}\n" in (home / "s/runs/hinge-default.log").read_text()


def test_too_few_images_are_refused(home):
    few = draw_folder(home / "few", range(30))
    with pytest.raises(UserError, match="30 images; a search takes at least 64"):
        search.search(few, home / "s", 1, home / "cache", CPU)
