import pytest
import torch
from safetensors import safe_open

from ganface.errors import UserError
from ganface.io.tensors import write_tensors
from ganface.latents.seeds import z_of
from ganface.models.dcgan import Generator, initialise
from ganface.models.snapshot import describe_generator, load_generator, save_snapshot


@pytest.fixture
def G():
    G = Generator(32, 8, 4)
    initialise(G, torch.Generator().manual_seed(0))
    G.train()(z_of(range(16), 8))
    return G.eval().requires_grad_(False)


def test_a_loaded_generator_draws_what_the_saved_one_drew(tmp_path, G):
    path = tmp_path / "G.safetensors"
    digest = save_snapshot(path, G.state_dict(), describe_generator(G), 100, 6400)
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
    }


def test_a_checkpoint_and_the_snapshot_of_its_step_hold_the_same_generator(tiny_run):
    z = z_of(range(9), 8)
    snapshot, _ = load_generator(tiny_run.generator)
    checkpoint, _ = load_generator(tiny_run.checkpoint(12))
    assert torch.equal(snapshot(z), checkpoint(z))


def test_a_snapshot_holds_the_generator_and_nothing_else(tiny_run):
    with safe_open(tiny_run.generator, "pt") as file:
        assert set(file.keys()) == set(Generator(32, 8, 4, "nearest", True).state_dict())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "stylegan9"}, "cannot draw the kind stylegan9"),
        ({"width": 8}, "do not fit"),
        ({"size": 64}, "do not fit"),
        ({"layers": 3}, "do not fit"),
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
    described = {**describe_generator(G), **change}
    write_tensors(path, "snapshot", G.state_dict(), {"generator": described, "step": 1})
    with pytest.raises(UserError, match=message):
        load_generator(path)


def test_a_snapshot_without_description_or_with_missing_tensors_is_refused(tmp_path, G):
    tensors = G.state_dict()
    write_tensors(tmp_path / "1", "snapshot", tensors, {"step": 1})
    del tensors["layers.0.weight"]
    meta = {"step": 1, "generator": describe_generator(G)}
    write_tensors(tmp_path / "2", "snapshot", tensors, meta)
    for name in ("1", "2"):
        with pytest.raises(UserError, match="do not fit"):
            load_generator(tmp_path / name)


def test_a_pack_is_no_generator(pack_file):
    with pytest.raises(UserError, match="a pack, where a snapshot or checkpoint is needed"):
        load_generator(pack_file)
