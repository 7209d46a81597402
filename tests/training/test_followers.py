"""Pages and event files go along with a training, and change nothing in it."""

from contextlib import suppress
from io import StringIO

from conftest import TINY, call, tree
from rich.console import Console

from ganface.errors import CannotWriteError
from ganface.io.run import Run
from ganface.training import followers
from ganface.training.display import Display

OPTIONS = (*TINY, "--milestones", "6", "--steps", 20, "--seeds", "0-3")


class Noted:
    def __init__(self):
        self.told = []

    def tick(self, line):
        self.told.append(("tick", line["step"]))

    def milestone(self, step, picture):
        self.told.append(("milestone", step, picture))

    def close(self):
        self.told.append("close")
        raise CannotWriteError("the disk is full")


def test_followers_are_told_what_the_display_is_told_and_closed_whatever_happens(tmp_path):
    follower, said = Noted(), StringIO()
    stats = {"step": 10, "seconds": 1.0, "images_per_second": 5.0, "verdict": "x", "precision": ""}
    with suppress(KeyError), Display(Console(file=said), 0, 20, "", None, [follower]) as shown:
        shown.tick(stats)
        shown.milestone(10, tmp_path)
        raise KeyError
    assert follower.told == [("tick", 10), ("milestone", 10, tmp_path), "close"]
    assert "the disk is full" in said.getvalue()


def test_a_page_changes_nothing_in_the_training(tmp_path, pack_file):
    runs = [Run(tmp_path / name) for name in ("plain", "page")]
    for run, more in zip(runs, ([], ["--page"]), strict=True):
        assert call("train", pack_file, "--out", run.path, *OPTIONS, *more) == 0
    plain, paged = (tree(run.path) for run in runs)
    assert paged.keys() - plain.keys() == {"index.html"}
    kept = [name for name in plain if name.endswith((".png", "generator.safetensors"))]
    assert [name for name in kept if plain[name] != paged[name]] == []
    assert "http-equiv" not in paged["index.html"].decode()


def test_a_run_keeps_its_page_when_it_goes_on(tmp_path, pack_file):
    run = Run(tmp_path / "run")
    assert call("train", pack_file, "--out", run.path, *OPTIONS, "--page") == 0
    run.page.unlink()
    assert call("train", pack_file, "--out", run.path, "--resume", "--steps", 22) == 0
    assert "22 of 22 updates" in run.page.read_text()
    run.page.unlink()
    assert call("train", pack_file, "--out", run.path, "--resume", "--no-page") == 0
    assert not run.page.exists()


def test_without_tensorboard_a_line_says_how_to_get_it(tmp_path, pack_file, invoke, monkeypatch):
    monkeypatch.setattr(followers, "find_spec", lambda _: None)
    run = tmp_path / "run"
    line = invoke("train", pack_file, "--out", run, *OPTIONS, "--tensorboard").refused()
    assert "pip install 'ganface[tensorboard]'" in line
    assert not run.exists()
