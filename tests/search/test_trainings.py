"""With processes that do not train: how many there are at a time, and that none is left."""

import signal
import subprocess
import sys

import pytest
import torch

from ganface.io.run import read_config
from ganface.search.draws import Draw, draws_of
from ganface.search.trainings import Trainings
from ganface.system.signals import StopRequest

CODES = {"ns-default": 1, "lsgan-default": 0, "hinge-default": 3}
DRAWS = draws_of(0, 0)[: len(CODES)]
JOBS = 2


@pytest.fixture
def stop():
    return StopRequest()


@pytest.fixture
def trainings(tmp_path):
    return Trainings(tmp_path, tmp_path / "pack", 1, JOBS, 0, torch.device("cpu"))


@pytest.fixture
def begin(monkeypatch):
    """begin(work): each training is what Python does of work(draw). All that began are returned."""

    def patch(work):
        children = []

        def start(_, draw):
            assert sum(child.poll() is None for child in children) < JOBS
            children.append(subprocess.Popen([sys.executable, "-c", work(draw)]))
            return children[-1]

        monkeypatch.setattr(Trainings, "_start", start)
        return children

    return patch


def test_each_is_told_with_the_exit_code_of_its_training(begin, trainings, stop):
    begin(lambda draw: f"raise SystemExit({CODES[draw.name]})")
    assert {draw.name: code for draw, code in trainings.train(DRAWS, stop)} == CODES


def test_the_next_one_begins_before_what_is_done_with_one(begin, trainings, stop):
    children = begin(lambda draw: "" if draw is DRAWS[0] else "import time; time.sleep(600)")
    ended = trainings.train(DRAWS, stop)
    assert next(ended) == (DRAWS[0], 0)
    assert len(children) == 3
    ended.close()
    assert [child.returncode for child in children[1:]] == [-signal.SIGTERM] * 2


def test_a_stop_ends_all_that_go_on(begin, trainings, stop):
    def work(_):
        stop.number = len(children)  # of a signal: one that comes when the first has begun
        return "import time; time.sleep(600)"

    children = begin(work)
    assert list(trainings.train(DRAWS, stop)) == []
    assert [child.returncode for child in children] == [-signal.SIGTERM] * JOBS


def test_a_training_is_a_run_of_its_own(pack_file, tmp_path, stop, monkeypatch):
    monkeypatch.setattr("ganface.search.trainings.WIDTH", 4)
    draw = Draw("vae", 1, {"lr": 0.003, "beta1": 0.5})
    trainings = Trainings(tmp_path / "runs", pack_file, 2, JOBS, 5, torch.device("cpu"))
    assert [*trainings.train([draw], stop)] == [(draw, 0)]
    run = trainings.run(draw)
    assert [*run.snapshots()] == [2]
    settings = read_config(run)["train"]
    assert settings.items() >= {"method": "vae", "lr": 0.003, "width": 4, "seed": 5}.items()
    assert read_config(run)["threads"] == max(1, torch.get_num_threads() // JOBS)
    assert "2 steps into" in trainings.log(draw).read_text()


def test_the_last_line_of_the_log_says_why_a_training_failed(trainings):
    trainings.log(DRAWS[0]).write_text("step 1\nganface: not a number: at step 2\n\n")
    assert trainings.last_words(DRAWS[0]) == "not a number: at step 2"
    trainings.log(DRAWS[0]).write_text("")
    assert trainings.last_words(DRAWS[0]) == "it said nothing"
