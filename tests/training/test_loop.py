"""Whole runs, through the command: what they write, and that they can be stopped and repeated."""

import json
import os
import signal

import pytest
import torch
from conftest import TINY, TINY_STEPS, call, draw_folder, tree
from PIL import Image

from ganface import __version__
from ganface.dataset.pack import Pack
from ganface.io.run import Run
from ganface.io.tensors import check_tensors, read_tensors, write_tensors
from ganface.pictures.animation import BETWEEN, GLIDE, read_animation_meta
from ganface.pictures.png import read_png_meta
from ganface.training import loop
from ganface.training.config import TrainConfig
from ganface.training.display import Display
from ganface.training.snapshots import SnapshotWriter
from ganface.training.writer import Writer

STEPS = 30
OPTIONS = (*TINY, "--milestones", "6,20", "--checkpoint-every", 10, "--seeds", "0-3")
TIMES = ("seconds", "images_per_second")


@pytest.fixture(scope="module")
def whole_run(pack_file, tmp_path_factory):
    """30 steps in one go. Not to be written to."""
    run = Run(tmp_path_factory.mktemp("runs") / "whole")
    assert call("train", pack_file, "--out", run.path, *OPTIONS, "--steps", STEPS) == 0
    return run


@pytest.fixture
def signal_at(monkeypatch):
    """Make the process send itself a signal at some step."""

    def arrange(at, number=signal.SIGINT):
        def step(display, step):
            original(display, step)
            if step == at:
                signal.raise_signal(number)

        original = Display.step
        monkeypatch.setattr(Display, "step", step)

    return arrange


def stats(run):
    lines = [json.loads(line) for line in run.stats.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in TIMES} for line in lines]


def pixels(folder):
    pictures = {}
    for path in sorted(folder.rglob("*.png")):
        with Image.open(path) as image:
            pictures[path.relative_to(folder).as_posix()] = image.convert("RGB").tobytes()
    return pictures


def assert_same_training(one, other):
    step = max(one.checkpoints())
    _, expected = read_tensors(one.checkpoint(step), "checkpoint")
    _, tensors = read_tensors(other.checkpoint(step), "checkpoint")
    assert tensors.keys() == expected.keys()
    assert [name for name in expected if not torch.equal(expected[name], tensors[name])] == []
    assert stats(one) == stats(other)
    assert pixels(one.path) == pixels(other.path)
    assert tree(one.path / "snapshots") == tree(other.path / "snapshots")
    assert one.generator.read_bytes() == other.generator.read_bytes()


# ---------------------------------------------------------------------------- what a run writes


def test_a_run_directory_holds_what_the_design_says_and_no_more(tiny_run):
    assert set(tree(tiny_run.path)) - {".lock"} == {
        "config.json",
        "stats.jsonl",
        "reals.png",
        "latest.png",
        "timeline.png",
        "timeline.gif",
        "generator.safetensors",
        *(
            f"{kind}/step-0000{step:02d}{suffix}"
            for step in (4, 8, TINY_STEPS)
            for kind, suffix in (("grids", ".png"), ("snapshots", ".safetensors"))
        ),
        *(f"checkpoints/step-0000{step:02d}.safetensors" for step in (5, 10, TINY_STEPS)),
    }


def test_the_config_says_what_was_used(tiny_run, pack_file):
    config = json.loads(tiny_run.config.read_text())
    assert TrainConfig.stored(config["train"]).schedule.steps == TINY_STEPS
    assert config["train"]["width"] == 4
    assert config["build"]["size"] == 32
    assert config["precision"] == "fp32"
    pack = Pack(pack_file)
    assert config["dataset"] == {"fingerprint": pack.fingerprint, "images": 100, "size": 32}
    assert {"ganface", "python", "torch"} <= set(config["versions"])


def test_statistics_come_every_tick_and_at_the_end(tiny_run):
    lines = [json.loads(line) for line in tiny_run.stats.read_text().splitlines()]
    assert [line["step"] for line in lines] == [10, TINY_STEPS]
    assert set(lines[0]) == {
        "step", "images_seen", "seconds", "images_per_second",
        "loss_D", "loss_G", "D_x", "D_Gz", "accuracy_real", "accuracy_fake", "grad_D", "grad_G",
        "strength", "verdict", "precision", "lr", "lr_D",
    }  # fmt: skip
    for line in lines:
        assert line["images_seen"] == 8 * line["step"]
        assert line["precision"] == "fp32"
        assert line["lr"] == line["lr_D"] == 2e-4
        assert 0 < line["D_x"] < 1
        assert 0 < line["D_Gz"] < 1
        assert line["loss_D"] > 0
        assert line["images_per_second"] > 0
    assert lines[0]["seconds"] < lines[1]["seconds"]


def test_every_picture_says_what_made_it(tiny_run):
    for step, path in tiny_run.grids().items():
        digest = check_tensors(tiny_run.snapshot(step))["sha256"]
        meta = {"kind": "grid", "seeds": "0-8", "step": step, "snapshot": digest}
        assert read_png_meta(path) == {**meta, "scale": 2, "resampling": "nearest"}
    assert read_png_meta(tiny_run.latest) == read_png_meta(tiny_run.grid(TINY_STEPS))
    assert read_png_meta(tiny_run.timeline)["steps"] == [4, 8, TINY_STEPS]
    assert read_animation_meta(tiny_run.timeline_gif) == read_png_meta(tiny_run.timeline)
    assert read_png_meta(tiny_run.reals)["kind"] == "reals"


def test_the_timeline_gif_glides_from_milestone_to_milestone_and_rests_on_the_last(tiny_run):
    with Image.open(tiny_run.timeline_gif) as image:
        times = []
        for index in range(image.n_frames):
            image.seek(index)
            times.append(image.info["duration"])
    assert [time for time in times if time != GLIDE] == [1000, 1000, 3000]
    assert times.count(GLIDE) == 2 * BETWEEN


def test_the_grids_change_as_G_learns(tiny_run):
    assert len(set(pixels(tiny_run.path / "grids").values())) == 3


# ---------------------------------------------------------------------------- stop and repeat


def test_two_runs_of_one_seed_are_equal_and_one_of_another_is_not(
    pack_file, tmp_path, whole_run, invoke
):
    again, other = Run(tmp_path / "again"), Run(tmp_path / "other")
    invoke("train", pack_file, "--out", again.path, *OPTIONS, "--steps", STEPS).done()
    assert_same_training(whole_run, again)
    invoke("train", pack_file, "--out", other.path, *OPTIONS, "--steps", 10, "--seed", 1).done()
    assert stats(other)[0] != stats(whole_run)[0]


@pytest.mark.parametrize("stops", [(13,), (1, 6, 29), (20,)])
def test_a_run_that_was_stopped_and_resumed_is_one_that_never_was(
    pack_file, tmp_path, whole_run, invoke, signal_at, stops
):
    run = Run(tmp_path / "stopped")
    train = ("train", pack_file, "--out", run.path, *OPTIONS, "--steps", STEPS)
    for stop in stops:
        signal_at(stop)
        result = invoke(*train, "--resume")
        assert result.code == 130
        assert f"ganface: stopped at step {stop}; a checkpoint is saved" in result.err
        assert stop in run.checkpoints()
    result = invoke("train", pack_file, "--out", run.path, "--resume")
    assert f"going on from step {stops[-1]}" in result.err
    assert_same_training(whole_run, run)


def test_a_signal_while_a_picture_is_drawn_still_saves_a_checkpoint(
    pack_file, tmp_path, invoke, monkeypatch
):
    run = Run(tmp_path / "run")
    monkeypatch.setattr(Display, "milestone", lambda *_: signal.raise_signal(signal.SIGTERM))
    result = invoke("train", pack_file, "--out", run.path, *OPTIONS, "--steps", STEPS)
    assert result.code == 143
    step = max(run.checkpoints())
    assert f"stopped at step {step}; a checkpoint is saved" in result.err


def test_a_run_that_died_goes_on_from_its_last_checkpoint(
    pack_file, tmp_path, whole_run, invoke, monkeypatch
):
    """Its statistics past that checkpoint, and its half-written files, are gone."""
    run = Run(tmp_path / "died")
    train = ("train", pack_file, "--out", run.path, *OPTIONS, "--steps", STEPS)

    def die(display, step):  # noqa: ARG001
        if step == 27:
            raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(Display, "step", die)
        with pytest.raises(RuntimeError, match="a fault of ours"):
            call(*train)
    assert max(run.checkpoints()) == 20
    with open(run.stats, "a") as file:
        file.write('{"step": 30, "loss_D": 99}\n{"step": 40, "lo')
    leftover = run.path / "checkpoints" / f".step-000027.safetensors.{os.getpid()}.tmp"
    leftover.write_bytes(b"half")

    invoke(*train, "--resume").done()
    assert_same_training(whole_run, run)
    assert not leftover.exists()


def test_more_steps_may_be_asked_for_later(pack_file, tmp_path, whole_run, invoke):
    run = Run(tmp_path / "longer")
    invoke("train", pack_file, "--out", run.path, *OPTIONS, "--steps", 20).done()
    invoke("train", pack_file, "--out", run.path, "--resume", "--steps", STEPS).done()
    assert_same_training(whole_run, run)
    assert json.loads(run.config.read_text())["train"]["steps"] == STEPS


def test_a_finished_run_is_left_as_it_is_and_said_to_be_finished(pack_file, run_copy, invoke):
    before = tree(run_copy.path / "checkpoints")
    result = invoke("train", pack_file, "--out", run_copy.path, "--resume")
    assert result.code == 0
    assert f"step {TINY_STEPS} already" in result.err
    assert tree(run_copy.path / "checkpoints") == before
    assert len(stats(run_copy)) == 2


# ---------------------------------------------------------------------------- checkpoints


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("keep", [1, 2])
def test_only_so_many_checkpoints_are_kept(pack_file, tmp_path, invoke, keep):
    run = Run(tmp_path / "run")
    options = ("--steps", 12, "--checkpoint-every", 3, "--keep", keep)
    invoke("train", pack_file, "--out", run.path, *TINY, *options).done()
    assert list(run.checkpoints()) == [3, 6, 9, 12][-keep:]


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(pack_file, run_copy, invoke):
    _, expected = read_tensors(run_copy.checkpoint(TINY_STEPS), "checkpoint")
    damage(run_copy.checkpoint(TINY_STEPS))
    result = invoke("train", pack_file, "--out", run_copy.path, "--resume")
    assert result.code == 0
    assert f"{run_copy.checkpoint(TINY_STEPS)}: damaged" in result.err
    assert "going on from step 10" in result.err
    _, tensors = read_tensors(run_copy.checkpoint(TINY_STEPS), "checkpoint")
    assert all(torch.equal(expected[name], tensors[name]) for name in expected)


def test_a_damaged_checkpoint_of_a_later_step_never_costs_a_good_one(
    pack_file, run_copy, invoke, signal_at
):
    damage(run_copy.checkpoint(TINY_STEPS))
    signal_at(11)
    resume = ("train", pack_file, "--out", run_copy.path, "--resume")
    assert invoke(*resume, "--keep", 1).code == 130
    assert 11 in run_copy.checkpoints()
    assert "going on from step 11" in invoke(*resume).err


def test_a_run_of_damaged_checkpoints_is_refused_and_left_alone(pack_file, run_copy, invoke):
    for path in run_copy.checkpoints().values():
        damage(path)
    before = tree(run_copy.path / "checkpoints")
    line = invoke("train", pack_file, "--out", run_copy.path, "--resume")
    assert line.code == 2
    assert "no checkpoint is whole" in line.err
    assert tree(run_copy.path / "checkpoints") == before


@pytest.mark.parametrize(
    ("options", "differences"),
    [
        (("--width", 8), ["--width was 4, now 8"]),
        (("--lr", 0.1, "--no-flip"), ["--lr was 0.0002, now 0.1", "--flip was True, now False"]),
        (("--seeds", "0-9"), ["--seeds was 0-8, now 0-9"]),
        (("--size", 64), ["--size was 32, now 64"]),
    ],
)
def test_a_run_cannot_be_resumed_with_other_settings(
    pack_file, run_copy, invoke, options, differences
):
    before = tree(run_copy.path)
    line = invoke("train", pack_file, "--out", run_copy.path, "--resume", *options).refused()
    assert all(difference in line for difference in differences)
    assert tree(run_copy.path) == before


def test_a_run_cannot_be_resumed_on_other_images(tmp_path, run_copy, invoke):
    other = tmp_path / "other.safetensors"
    source = draw_folder(tmp_path / "others", range(200, 220))
    invoke("dataset", "build", source, other, "--size", 32).done()
    line = invoke("train", other, "--out", run_copy.path, "--resume").refused()
    assert "not the images that this run began with" in line


def test_training_ends_at_a_damaged_image_with_its_number(tmp_path, pack_file, invoke):
    pack = tmp_path / "damaged.safetensors"
    data = bytearray(pack_file.read_bytes())
    data[4096 + 7 * 3 * 32 * 32 + 5] ^= 1
    pack.write_bytes(data)
    result = invoke("train", pack, "--out", tmp_path / "run", *OPTIONS, "--steps", STEPS)
    assert "image 7 is damaged" in result.failed()


def test_bf16_trains_as_well(pack_file, tmp_path, invoke):
    run = Run(tmp_path / "run")
    options = (*TINY, "--precision", "bf16", "--steps", 3)
    invoke("train", pack_file, "--out", run.path, *options).done()
    (line,) = stats(run)
    assert line["precision"] == "bf16"
    _, tensors = read_tensors(run.checkpoint(3), "checkpoint")
    floats = [t for t in tensors.values() if t.is_floating_point()]
    assert {t.dtype for t in floats} == {torch.float32}
    assert all(t.isfinite().all() for t in floats)


def test_a_checkpoint_of_another_version_is_refused_in_one_line(pack_file, run_copy, invoke):
    meta, tensors = read_tensors(run_copy.checkpoint(TINY_STEPS), "checkpoint")
    del tensors["augment_p"]
    write_tensors(run_copy.checkpoint(TINY_STEPS), "checkpoint", tensors, meta)
    line = invoke("train", pack_file, "--out", run_copy.path, "--resume", "--steps", 20)
    assert f"the one that wrote them, {__version__}, or a new run" in line.refused()


def test_the_latest_picture_waits_for_a_slow_disk_alone(pack_file, home, invoke, monkeypatch):
    """Not for the line of statistics that the same update has just handed to the writer."""
    drawn, writers, step = [], [], Display.step
    enter = Writer.__enter__
    monkeypatch.setattr(loop, "PICTURE", 10)
    monkeypatch.setattr(loop, "PICTURES_APART", 0)
    monkeypatch.setattr(Writer, "__enter__", lambda self: writers.append(self) or enter(self))

    def step_of_a_fast_disk(display, number):
        step(display, number)
        writers[-1].finish()

    monkeypatch.setattr(Display, "step", step_of_a_fast_disk)
    monkeypatch.setattr(SnapshotWriter, "draw_latest", lambda self: drawn.append(self._state.step))
    invoke("train", pack_file, "--out", home / "run", *TINY, "--steps", 45).done()
    assert drawn == [10, 20, 30, 40, 45]


def test_pictures_of_a_fast_training_are_some_seconds_apart(pack_file, home, invoke, monkeypatch):
    drawn = []
    monkeypatch.setattr(loop, "PICTURE", 1)
    monkeypatch.setattr(loop, "PICTURES_APART", 3600)
    monkeypatch.setattr(SnapshotWriter, "draw_latest", lambda self: drawn.append(self._state.step))
    train = ("train", pack_file, "--out", home / "run", *TINY, "--steps", 9, "--milestones", 4)
    invoke(*train).done()
    assert drawn == [4, 9]


def test_a_training_ends_when_its_minutes_are_over(tmp_path, pack_file, invoke):
    run, minutes = Run(tmp_path / "run"), 0.02
    options = ("train", pack_file, "--out", run.path, *OPTIONS, "--steps", 100_000)
    result = invoke(*options, "--minutes", minutes)
    result.done()
    assert "100000 steps, 0.02 minutes at most" in result.err
    lines = stats(run)
    last = lines[-1]["step"]
    assert last < 100_000
    times = [json.loads(line)["seconds"] for line in run.stats.read_text().splitlines()]
    assert times[-2] < 60 * minutes <= times[-1]
    assert max(run.checkpoints()) == max(run.snapshots()) == max(run.grids()) == last

    result = invoke(*options, "--minutes", minutes, "--resume")
    result.done()
    assert f"is at step {last} already; to go on, give more --minutes" in result.err
    invoke(*options, "--minutes", 2 * minutes, "--resume").done()
    assert max(run.checkpoints()) > last
