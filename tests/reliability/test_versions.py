"""Files of another version of ganface: read if they can be, else the version is said."""

import pytest

from ganface import __version__
from ganface.io.run import read_config, write_config
from ganface.io.tensors import write_tensors
from ganface.latents import rng
from ganface.models.dcgan import Generator, initialise


@pytest.fixture
def future(monkeypatch):
    """Within it, files are written as ganface 9.8.7 will, in format 2."""
    with monkeypatch.context() as patch:
        patch.setattr("ganface.io.tensors.VERSION", 2)
        patch.setattr("ganface.io.tensors.__version__", "9.8.7")
        yield patch


NEEDED = f"this is ganface {__version__}, which reads format 1; it takes a newer one"


def test_a_newer_snapshot_is_refused_by_every_command(faces, tmp_path, invoke, future):
    meta, tensors = {"step": 1}, {"a": next(Generator(32, 2, 1).parameters())}
    path = tmp_path / "new.safetensors"
    write_tensors(path, "snapshot", tensors, meta)
    future.undo()
    for command in (["sample", path], ["interpolate", path], ["info", path]):
        line = invoke(*command).refused()
        assert line == f"ganface: {path}: of format 2; {NEEDED}, 9.8.7"
    assert NEEDED in invoke("evaluate", path, faces).refused()


def test_a_newer_pack_is_refused(faces, tmp_path, invoke, future):
    pack = tmp_path / "pack.safetensors"
    assert invoke("dataset", "build", faces, pack, "--size", 32).code == 0
    future.undo()
    for command in ("train", "info"):
        assert NEEDED in invoke(command, pack).refused()


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
    meta, tensors = {"step": 12}, {"a": next(Generator(32, 2, 1).parameters())}
    write_tensors(run_copy.checkpoint(12), "checkpoint", tensors, meta)
    future.undo()
    result = invoke("train", pack_file, "--out", run_copy.path, "--resume", "--steps", 13)
    assert result.code == 0
    assert f"{run_copy.checkpoint(12)}: of format 2; {NEEDED}, 9.8.7" in result.err
    assert "going on from step 10" in result.err


def test_a_snapshot_from_before_generators_had_kinds_is_drawn(tmp_path, invoke):
    G = Generator(32, 8, 4)
    initialise(G, rng.generator(0, "G"))
    described = {"architecture": "dcgan", "size": 32, "z_dim": 8, "width": 4}
    path = tmp_path / "old.safetensors"
    write_tensors(path, "snapshot", G.state_dict(), {"generator": described, "step": 7})
    assert invoke("sample", path, "--out", tmp_path / "faces.png").code == 0
