import json

import pytest
import torch
from conftest import TINY, train_config

from ganface.dataset.pack import Pack
from ganface.io.run import Run
from ganface.latents.fitted import fitted
from ganface.methods.base import Batch
from ganface.methods.probe import Probe
from ganface.methods.vae import CODES_SAY_NOTHING, Vae, noisy
from ganface.methods.verdict import EARLY, HEALTHY
from ganface.models.snapshot import load_network
from ganface.system.device import Compute
from ganface.training.checkpoint import tensors_of
from ganface.training.start import create

CPU, BF16 = (Compute(torch.device("cpu"), precision) for precision in ("fp32", "bf16"))
SHAPE = {"method": "vae", "width": 4, "z_dim": 8}
OPTIONS = (*TINY, "--method", "vae", "--checkpoint-every", 5, "--seeds", "0-3")


@pytest.fixture
def batch():
    """Plain images, each of a colour of its own."""
    g = torch.Generator().manual_seed(0)
    reals = torch.randn(8, 3, 1, 1, generator=g).tanh().expand(8, 3, 32, 32)
    reals = reals.contiguous(memory_format=torch.channels_last)
    return Batch(reals, torch.arange(8), {"code": torch.randn(8, 8, generator=g)})


@pytest.mark.parametrize("compute", [CPU, BF16])
def test_all_networks_learn_and_the_error_falls(batch, compute):
    method, state = create(train_config(**SHAPE), 32, compute)
    for adam in state.optimizers.values():
        adam.param_groups[0]["lr"].fill_(1e-3)
    before = {name: tensor.clone() for name, tensor in tensors_of(state).items()}
    found = torch.stack([method.update(state, [batch], False) for _ in range(30)])
    assert found.isfinite().all()
    loss, error = found[:, 0], found[:, 1]
    assert loss[-1] < loss[0]
    assert error[-1] < 0.8 * error[0]
    for name in ("E.layers.0.weight", "log_variance.layers.0.weight", "G.layers.0.weight"):
        assert not torch.equal(before[name], tensors_of(state)[name])


def test_beta_pulls_codes_to_the_standard_normal(batch):
    KLs = []
    for beta in (0.0, 1000.0):
        method, state = create(train_config(**SHAPE, beta=beta), 32, CPU)
        for adam in state.optimizers.values():
            adam.param_groups[0]["lr"].fill_(1e-3)
        KLs.append([method.update(state, [batch], False)[2].item() for _ in range(30)][-1])
    assert KLs[1] < 0.1 * KLs[0]


def test_codes_are_drawn_with_the_variance_that_E_says():
    mean, log_variance = torch.tensor([[3.0, -1.0]]), torch.tensor([[1.0, 4.0]]).log()
    drawn = noisy(mean, log_variance, torch.randn(4000, 2))
    torch.testing.assert_close(drawn.mean(0), mean[0], atol=0.15, rtol=0)
    torch.testing.assert_close(drawn.std(0), torch.tensor([1.0, 2.0]), atol=0.1, rtol=0)


def test_what_is_drawn_like_codes_has_their_mean_and_covariance():
    mix = torch.tensor([[1.0, 0.0], [0.9, 0.2]])
    codes = torch.randn(200, 2) @ mix.T + torch.tensor([5.0, -5.0])
    drawn = fitted(codes, torch.randn(20_000, 200))
    torch.testing.assert_close(drawn.mean(0), codes.mean(0), atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.T.cov(), codes.T.cov(), atol=0.05, rtol=0)


def test_the_verdict_names_codes_that_say_nothing():
    def lines(KL, step=600):
        line = {"error_seen": 0.1, "error_held_out": 0.1, "KL": KL}
        return [{"step": step + 50 * i, **line} for i in range(3)]

    assert Vae.judge(lines(0.01, 10)) == EARLY
    assert Vae.judge(lines(0.01)) == CODES_SAY_NOTHING
    assert Vae.judge(lines(30.0)) == HEALTHY


def test_G_is_calibrated_on_codes_with_their_noise(pack_file):
    method, state = create(train_config(**SHAPE), 32, CPU)
    probe = Probe(Pack(pack_file), 0, 8, CPU.device)
    method.recalibrate(state, probe)
    first = method.codes(state, probe)[0]
    plain = state.ema["E"](probe.calibration_images[0])
    assert first.shape == plain.shape
    assert (first - plain).std() > 0.5  # at the start E says a variance of about 1


def test_a_run_is_drawn_stopped_and_resumed_to_the_bit(pack_file, home, invoke):
    train = ("train", pack_file, *OPTIONS, "--milestones", 4, "--evaluate-every", 5)
    invoke(*train, "--out", "whole", "--steps", 10).done()
    for more in (("--steps", 6), ("--steps", 10, "--resume")):
        invoke(*train, "--out", "again", *more).done()
    for role in ("E", "G"):
        one, other = (
            load_network(Run(home / name).generator, role)[0].state_dict()
            for name in ("whole", "again")
        )
        assert all(torch.equal(one[name], other[name]) for name in one)
    run = Run(home / "whole")
    assert run.sheet("fitted", 4).exists()
    assert run.sheet("reconstructions", 4).exists()
    line = json.loads(run.stats.read_text().splitlines()[-1])
    assert {*Vae.metrics, "score", "lr_log_variance"} <= line.keys()
    for command in (("sample",), ("interpolate",), ("plot",), ("info", "--json")):
        invoke(command[0], run.path, *command[1:]).done()
    line = invoke("train", pack_file, *OPTIONS, "--recon", "l1").refused()
    assert "--recon: is for --method autoencoder, not vae" in line
