import json

import pytest
import torch
from conftest import TINY, train_config
from PIL import Image

from ganface.dataset.pack import Pack
from ganface.io.run import Run
from ganface.losses.reconstruction import l1, l2
from ganface.methods.autoencoder import LEARNED_BY_HEART, Autoencoder
from ganface.methods.base import Batch
from ganface.methods.probe import Probe
from ganface.methods.verdict import EARLY, HEALTHY
from ganface.models.snapshot import load_network
from ganface.system.device import Compute
from ganface.training.checkpoint import tensors_of
from ganface.training.start import create

CPU, BF16 = (Compute(torch.device("cpu"), precision) for precision in ("fp32", "bf16"))
CONFIG = train_config(method="autoencoder", width=4, z_dim=2, batch_size=8)
OPTIONS = (*TINY, "--method", "autoencoder", "--checkpoint-every", 5, "--seeds", "0-3")


@pytest.fixture
def batch():
    """Plain images, each of a colour of its own."""
    colours = torch.randn(8, 3, 1, 1, generator=torch.Generator().manual_seed(0)).tanh()
    reals = colours.expand(8, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    return Batch(reals, torch.arange(8), {})


def test_distances_are_means_over_pixels():
    images, originals = torch.tensor([0.0, 1.0]), torch.tensor([0.5, -0.5])
    assert l1(images, originals).item() == 1.0
    assert l2(images, originals).item() == (0.25 + 2.25) / 2


@pytest.mark.parametrize("recon", ["l1", "l2"])
def test_both_networks_learn_from_the_distance(batch, recon):
    config = train_config(method="autoencoder", width=4, z_dim=8, recon=recon)
    method, state = create(config, 32, CPU)
    for adam in state.optimizers.values():
        adam.param_groups[0]["lr"].fill_(1e-3)
    before = {name: tensor.clone() for name, tensor in tensors_of(state).items()}
    losses = [method.update(state, [batch], False)[0].item() for _ in range(20)]
    assert losses[-1] < 0.9 * losses[0]
    for name in ("E.layers.0.weight", "G.layers.0.weight"):
        assert not torch.equal(before[name], tensors_of(state)[name])


def test_to_diagnose_leaves_no_trace_and_tells_errors_of_both_kinds(pack_file):
    method, state = create(CONFIG, 32, CPU)
    before = {name: tensor.clone() for name, tensor in tensors_of(state).items()}
    figures = method.diagnose(state, Probe(Pack(pack_file), 0, 2, CPU.device))
    found = dict(zip(Autoencoder.diagnostics, figures.tolist(), strict=True))
    assert 0 < found["error_seen"] < 2
    assert 0 < found["error_held_out"] < 2
    after = tensors_of(state)
    assert [name for name in before if not torch.equal(before[name], after[name])] == []


def test_the_verdict_compares_held_out_with_seen_images():
    def lines(held_out, step=600):
        line = {"error_seen": 0.1, "error_held_out": held_out}
        return [{"step": step + 50 * i, **line} for i in range(3)]

    assert Autoencoder.judge([]) == Autoencoder.judge(lines(0.9, 10)) == EARLY
    assert Autoencoder.judge(lines(0.12)) == Autoencoder.judge(lines(None)) == HEALTHY
    assert Autoencoder.judge(lines(0.2)) == LEARNED_BY_HEART


def test_a_run_is_drawn_scored_stopped_and_resumed_like_any_other(pack_file, home, invoke):
    train = ("train", pack_file, *OPTIONS, "--milestones", 4, "--evaluate-every", 5)
    invoke(*train, "--out", "whole", "--steps", 10).done()
    for more in (("--steps", 6), ("--steps", 10, "--resume")):
        invoke(*train, "--out", "again", *more).done()
    one, other = (
        load_network(Run(home / name).generator, role)[0].state_dict()
        for name in ("whole", "again")
        for role in ("E",)
    )
    assert all(torch.equal(one[name], other[name]) for name in one)

    run = Run(home / "whole")
    assert (home / "again/checkpoints/step-000010.safetensors").stat().st_size > 0
    with Image.open(run.sheet("reconstructions", 4)) as sheet:
        assert sheet.width == 8 * 66 - 2
    line = json.loads(run.stats.read_text().splitlines()[-1])
    assert {*Autoencoder.metrics, "score", "lr", "lr_E"} <= line.keys()
    for command in (("sample",), ("interpolate",), ("plot",), ("info", "--json")):
        invoke(command[0], run.path, *command[1:]).done()


def test_flags_of_a_gan_are_refused(pack_file, invoke):
    line = invoke("train", pack_file, *OPTIONS, "--r1", 1).refused()
    assert "--r1: is for --method gan or alphagan or energy, not autoencoder" in line


def test_it_trains_in_bf16():
    """What E gives is bf16 then, and z is float32: G takes either."""
    method, state = create(train_config(method="autoencoder", width=4, z_dim=8), 32, BF16)
    reals = torch.randn(4, 3, 32, 32).clamp(-1, 1)
    batch = Batch(reals, torch.arange(4), {})
    assert method.update(state, [batch], False).isfinite().all()
