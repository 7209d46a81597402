"""TensorBoard's event files, read back as TensorBoard does."""

import json

import pytest
from conftest import TINY, call
from pictures_made import grid_pixels

from ganface.io.run import Run

pytest.importorskip("tensorboard")
OPTIONS = (*TINY, "--milestones", "6", "--seeds", "0-3", "--checkpoint-every", 10)


def test_they_change_nothing_in_the_training(run, tmp_path, pack_file):
    plain = Run(tmp_path / "plain")
    assert call("train", pack_file, "--out", plain.path, *OPTIONS, "--steps", 20) == 0
    assert plain.generator.read_bytes() == run.generator.read_bytes()


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), {"scalars": 0, "images": 0})
    found.Reload()
    return found


def steps(found, tag):
    return [event.step for event in found.Scalars(tag)]


@pytest.fixture
def run(tmp_path, pack_file):
    run = Run(tmp_path / "run")
    options = ("--steps", 20, "--tensorboard")
    assert call("train", pack_file, "--out", run.path, *OPTIONS, *options) == 0
    return run


def test_event_files_hold_what_stats_hold_and_the_milestones(run):
    found = read(run.tensorboard)
    lines = [json.loads(line) for line in run.stats.read_text().splitlines()]
    for name in ("loss_D", "loss_G", "D_x", "images_per_second", "lr"):
        assert steps(found, name) == [line["step"] for line in lines]
        values = [event.value for event in found.Scalars(name)]
        assert values == pytest.approx([line[name] for line in lines])
    assert not {"step", "verdict", "precision"} & {*found.Tags()["scalars"]}
    images = found.Images("faces")
    assert [image.step for image in images] == [6, 20]
    assert images[0].width == images[0].height == grid_pixels(2)


def test_a_run_that_goes_on_has_no_step_twice(run, pack_file):
    """As after a kill: the events of the steps since the last checkpoint are there already."""
    run.checkpoint(20).unlink()
    options = ("--resume", "--steps", 30)
    assert call("train", pack_file, "--out", run.path, *options) == 0
    assert len(list(run.tensorboard.iterdir())) == 2
    found = read(run.tensorboard)
    assert steps(found, "loss_D") == [10, 20, 30]
    assert [image.step for image in found.Images("faces")] == [
        6,
        30,
    ]


def test_a_training_that_went_back_has_no_step_twice(tmp_path):
    from ganface.training.tensorboard import EventFiles

    files = EventFiles(tmp_path, 0)
    for step in (10, 20, 30, 20, 30, 40):
        files.tick({"step": step, "loss_D": step / 10, "verdict": "healthy", "score": None})
    files.close()
    found = read(tmp_path)
    assert steps(found, "loss_D") == [10, 20, 30, 40]
    assert "score" not in found.Tags()["scalars"]
