"""Files of another version of ganface: read if they can be, else the version is said."""

import shutil
from pathlib import Path

import pytest
from conftest import dcgan

from ganface import __version__
from ganface.io.run import Run, read_config, write_config
from ganface.io.tensors import VERSIONS, read_tensors, write_tensors
from ganface.latents import rng
from ganface.models.dcgan import Generator


@pytest.fixture
def future(monkeypatch):
    """Within it, files are written as ganface 9.8.7 will, in format 9."""
    with monkeypatch.context() as patch:
        patch.setattr("ganface.io.tensors.VERSIONS", dict.fromkeys(VERSIONS, 9))
        patch.setattr("ganface.io.tensors.__version__", "9.8.7")
        yield patch


NEEDED = f"this is ganface {__version__}, which reads up to {{}}; it takes a newer one"


def test_a_newer_snapshot_is_refused_by_every_command(faces, tmp_path, invoke, future):
    meta, tensors = {"step": 1}, {"a": next(Generator(dcgan(32, 2, 1)).parameters())}
    path = tmp_path / "new.safetensors"
    write_tensors(path, "snapshot", tensors, meta)
    future.undo()
    for command in (["sample", path], ["interpolate", path], ["info", path]):
        line = invoke(*command).refused()
        assert line == f"ganface: {path}: a snapshot of format 9; {NEEDED.format(2)}, 9.8.7"
    assert NEEDED.format(2) in invoke("evaluate", path, faces).refused()


def test_a_newer_pack_is_refused(faces, tmp_path, invoke, future):
    pack = tmp_path / "pack.safetensors"
    assert invoke("dataset", "build", faces, pack, "--size", 32).code == 0
    future.undo()
    for command in ("train", "info"):
        assert NEEDED.format(1) in invoke(command, pack).refused()


def test_a_run_of_a_newer_ganface_is_refused_and_left_alone(run_copy, pack_file, invoke):
    config = read_config(run_copy)
    config["train"]["diffusion"] = True
    config["versions"]["ganface"] = "9.8.7"
    write_config(run_copy, config)
    line = invoke("train", pack_file, "--out", run_copy.path, "--resume").refused()
    assert f"not the settings of this ganface, {__version__}" in line
    assert "it takes the one that wrote them, 9.8.7" in line


def test_a_checkpoint_of_a_newer_ganface_is_passed_over_with_a_word(
    run_copy, pack_file, invoke, future
):
    meta, tensors = {"step": 12}, {"a": next(Generator(dcgan(32, 2, 1)).parameters())}
    write_tensors(run_copy.checkpoint(12), "checkpoint", tensors, meta)
    future.undo()
    result = invoke("train", pack_file, "--out", run_copy.path, "--resume", "--steps", 13)
    assert result.code == 0
    assert (
        f"{run_copy.checkpoint(12)}: a checkpoint of format 9; {NEEDED.format(2)}, 9.8.7"
        in result.err
    )
    assert "going on from step 10" in result.err


def test_a_snapshot_from_before_generators_had_kinds_is_drawn(tmp_path, invoke, monkeypatch):
    G = Generator(dcgan(32, 8, 4))
    G.initialise(rng.generator(0, "G"))
    described = {"architecture": "dcgan", "size": 32, "z_dim": 8, "width": 4}
    path = tmp_path / "old.safetensors"
    monkeypatch.setitem(VERSIONS, "snapshot", 1)
    write_tensors(path, "snapshot", G.state_dict(), {"generator": described, "step": 7})
    assert invoke("sample", path, "--out", tmp_path / "faces.png").code == 0


OLD = Path(__file__).parents[1] / "data" / "format-1"  # made by ganface 0.1.0 from drawn faces


@pytest.fixture
def old_run(tmp_path):
    return Run(shutil.copytree(OLD / "run", tmp_path / "old"))


def test_a_run_of_format_1_is_resumed(old_run, invoke):
    result = invoke(
        "train", OLD / "pack.safetensors", "--out", old_run.path, "--resume", "--steps", 8
    )
    result.done()
    assert "going on from step 6" in result.err
    meta, tensors = read_tensors(old_run.checkpoint(8), "checkpoint")
    assert meta["version"] == 2
    assert "strength" not in tensors
    before, _ = read_tensors(OLD / "run/checkpoints/step-000006.safetensors", "checkpoint")
    since = {"method": "gan", "minutes": None}
    since |= dict.fromkeys(("keep_discriminator", "page", "tensorboard"), False)
    assert meta["train"] == {**before["train"], **since, "steps": 8}


def test_old_snapshots_and_checkpoints_draw_the_same_face(home, invoke):
    for name in ("generator", "checkpoints/step-000006"):
        invoke("sample", OLD / f"run/{name}.safetensors", "--out", f"{name[-6:]}.png").done()
    one, other = (path.read_bytes() for path in sorted(home.glob("*.png")))
    assert len(one) == len(other)


def test_a_training_begins_with_networks_of_format_1(invoke):
    options = ("--steps", 1, "--device", "cpu", "--batch-size", 2)
    for name, taken in (("generator", "G, G_ema"), ("checkpoints/step-000006", "D, G, G_ema")):
        model = OLD / f"run/{name}.safetensors"
        train = ("train", OLD / "pack.safetensors", "--out", name[-6:], "--init-from", model)
        assert f"begins with {taken} of" in invoke(*train, *options).err
