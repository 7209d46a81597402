import json
from pathlib import Path

import pytest

from ganface.io.run import Run
from ganface.io.tensors import read_tensors, write_tensors


@pytest.fixture
def begin(pack_file, invoke):
    """begin(model, *options): a training of one update that begins with the model's networks."""
    options = ("--steps", 1, "--batch-size", 8, "--device", "cpu", "--precision", "fp32")

    def command(model, *more, out="new", data=pack_file):
        return invoke("train", data, "--out", out, "--init-from", model, *options, *more)

    return command


def tensors(path, prefix):
    tensors = read_tensors(path, "checkpoint", "snapshot")[1].items()
    return {n.removeprefix(prefix): t for n, t in tensors if n.startswith(prefix)}


def test_a_run_gives_the_networks_of_its_newest_checkpoint(tiny_run, begin):
    assert "begins with D, G, G_ema of" in begin(tiny_run.path, "--lr", "1e-8").err
    source = tiny_run.checkpoint(12)
    made = Run(Path("new")).checkpoint(1)
    for network in ("G.", "D."):
        old, young = tensors(source, network), tensors(made, network)
        weights = [name for name in old if name.endswith("weight")]
        assert weights
        # One update at such a rate leaves them where they were
        assert all((old[name] - young[name]).abs().max() < 1e-5 for name in weights)


def test_a_snapshot_gives_its_generator_to_G_as_well(tiny_run, begin):
    result = begin(tiny_run.snapshot(4), "--lr", "1e-8")
    assert "begins with G, G_ema of" in result.err
    old = tensors(tiny_run.snapshot(4), "G.")
    young = tensors(Run(Path("new")).checkpoint(1), "G.")
    assert all((old[n] - young[n]).abs().max() < 1e-5 for n in old if n.endswith("weight"))


def test_a_run_that_has_begun_keeps_its_origin(tiny_run, begin):
    begin(tiny_run.path).done()
    assert "--init-from was" in begin("elsewhere", "--resume", "--steps", 2).refused()
    begin(tiny_run.path, "--resume", "--steps", 2).done()


def test_its_networks_settings_hold(tiny_run, begin):
    begin(tiny_run.path).done()
    train = json.loads(Path("new/config.json").read_text())["train"]
    assert (train["width"], train["z_dim"]) == (4, 8)


def test_a_setting_that_its_networks_do_not_have_is_refused(tiny_run, begin):
    assert "--width 8: " in begin(tiny_run.path, "--width", 8).refused()
    assert "--size 64: " in begin(tiny_run.path, "--size", 64).refused()
    assert "--norm batch: " in begin(tiny_run.path, "--norm", "batch").refused()


def test_between_methods_what_sees_images_is_built_anew(tiny_run, begin):
    """Each method has a norm that suits it, which is not taken over with G."""

    def norm_of(run):
        return json.loads(Path(run, "config.json").read_text())["train"]["norm"]

    encoder = ("--method", "autoencoder")
    assert norm_of(tiny_run.path) == "none"
    begin(tiny_run.path, *encoder).done()
    assert norm_of("new") == "batch"
    snapshot = Path("new/generator.safetensors")
    for out, model, options, norm in (
        ("a", "new", (), "none"),
        ("b", snapshot, (), "none"),
        ("c", snapshot, encoder, "batch"),
    ):
        begin(model, *options, out=out).done()
        assert norm_of(out) == norm


def test_images_of_another_size_are_refused(tiny_run, faces, begin, invoke):
    invoke("dataset", "build", faces, "other.safetensors", "--size", 64, "--workers", 1).done()
    assert "draws faces of 32 pixels" in begin(tiny_run.path, data="other.safetensors").refused()


def test_what_is_no_model_is_refused(pack_file, begin):
    assert "no such file" in begin("nothing").refused()
    assert "a pack, where" in begin(pack_file).refused()


@pytest.mark.parametrize("train", [None, ["norm"], {"norm": 7}, {"spectral_norm": "yes"}])
def test_forged_settings_of_D_end_in_one_line(tiny_run, begin, home, train):
    meta, held = read_tensors(tiny_run.checkpoint(12), "checkpoint")
    write_tensors(home / "forged.safetensors", "checkpoint", held, {**meta, "train": train})
    result = begin("forged.safetensors", "--dry-run")
    assert result.code in (0, 2)
    assert "Traceback" not in result.err


def test_a_resumed_run_does_not_begin_again(tiny_run, begin):
    begin(tiny_run.path).done()
    again = begin(tiny_run.path, "--resume", "--steps", 2)
    assert "going on from step 1" in again.err
    assert "begins with" not in again.err


def test_a_run_that_has_no_checkpoint_yet_begins_with_them_again(tiny_run, begin, home):
    begin(tiny_run.path).done()
    first = (home / "new" / "generator.safetensors").read_bytes()
    (home / "new" / "checkpoints" / "step-000001.safetensors").unlink()
    begin(tiny_run.path, "--resume").done()
    assert (home / "new" / "generator.safetensors").read_bytes() == first
