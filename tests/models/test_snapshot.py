import subprocess
import sys

import pytest
import torch
from conftest import dcgan
from safetensors import safe_open

from ganface.errors import UserError
from ganface.io.tensors import write_tensors
from ganface.latents.seeds import z_of
from ganface.models.dcgan import Generator
from ganface.models.registry import describe
from ganface.models.snapshot import load_generator, save_snapshot


@pytest.fixture
def G():
    G = Generator(dcgan(32, 8, 4))
    G.initialise(torch.Generator().manual_seed(0))
    G.train()(z_of(range(16), 8))
    return G.eval().requires_grad_(False)


def named(G):
    """As a snapshot names them."""
    return {f"G.{name}": tensor for name, tensor in G.state_dict().items()}


def test_a_loaded_generator_draws_what_the_saved_one_drew(tmp_path, G):
    path = tmp_path / "G.safetensors"
    digest = save_snapshot(path, named(G), G.config, 100, 6400)
    loaded, meta = load_generator(path)
    z = z_of(range(5), 8)
    assert torch.equal(loaded(z), G(z))
    assert not any(module.training for module in loaded.modules())
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert (meta["step"], meta["images_seen"], meta["sha256"]) == (100, 6400, digest)
    assert meta["generator"] == {
        "architecture": "dcgan",
        "size": 32,
        "z_dim": 8,
        "width": 4,
        "upsample": "transposed",
        "modulate": False,
        "norm": "batch",
        "spectral_norm": False,
    }
    assert meta["networks"] == ["G"]


def test_pytorch_s_compiler_is_not_loaded_to_draw(tiny_run):
    """It takes seconds, and some of PyTorch's functions load it on the meta device."""
    code = (
        "import sys; from ganface.models.snapshot import load_generator; "
        f"load_generator({str(tiny_run.generator)!r}); sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_path_may_be_a_text(tiny_run):
    as_text, _ = load_generator(str(tiny_run.generator))
    z = z_of(range(5), 8)
    assert torch.equal(as_text(z), load_generator(tiny_run.generator)[0](z))


def test_a_checkpoint_and_the_snapshot_of_its_step_hold_the_same_generator(tiny_run):
    z = z_of(range(9), 8)
    snapshot, _ = load_generator(tiny_run.generator)
    checkpoint, _ = load_generator(tiny_run.checkpoint(12))
    assert torch.equal(snapshot(z), checkpoint(z))


def test_a_snapshot_holds_the_generator_and_nothing_else(tiny_run):
    with safe_open(tiny_run.generator, "pt") as file:
        assert set(file.keys()) == set(named(Generator(dcgan(32, 8, 4, "nearest", True))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "stylegan9"}, "cannot draw the kind stylegan9"),
        ({"width": 8}, "do not fit"),
        ({"size": 64}, "do not fit"),
        ({"layers": 3}, "unknown setting layers"),
        ({"z_dim": "many"}, "--z-dim many: not of the right type"),
        ({"width": None}, "--width None: not of the right type"),
        ({"width": True}, "--width True: not of the right type"),
        ({"width": 10**6}, "--width 1000000: must lie between"),
        ({"size": 48}, "--size 48"),
        ({"upsample": ["nearest"]}, "not of the right type"),
    ],
)
def test_tensors_that_do_not_fit_their_description_are_refused(tmp_path, G, change, message):
    path = tmp_path / "G.safetensors"
    described = {**describe(G.config), **change}
    write_tensors(path, "snapshot", named(G), {"generator": described, "step": 1})
    with pytest.raises(UserError, match=message):
        load_generator(path)


def test_a_snapshot_without_description_or_with_missing_tensors_is_refused(tmp_path, G):
    tensors = named(G)
    write_tensors(tmp_path / "1", "snapshot", tensors, {"step": 1})
    del tensors["G.layers.0.weight"]
    meta = {"step": 1, "generator": describe(G.config)}
    write_tensors(tmp_path / "2", "snapshot", tensors, meta)
    for name, message in (("1", "does not say how"), ("2", "do not fit")):
        with pytest.raises(UserError, match=message):
            load_generator(tmp_path / name)


def test_a_pack_is_no_generator(pack_file):
    with pytest.raises(UserError, match="a pack, where a snapshot or checkpoint is needed"):
        load_generator(pack_file)
