import json
import re

import pytest
import torch
from conftest import TINY, train_config
from torch.nn.functional import softplus

from ganface.io.run import Run
from ganface.methods.alphagan import ADVICE, AlphaGan
from ganface.methods.base import Batch
from ganface.methods.gan_verdict import D_WINS
from ganface.methods.verdict import EARLY, HEALTHY
from ganface.models.snapshot import load_network
from ganface.system.device import Compute
from ganface.training.start import create

CPU, BF16 = (Compute(torch.device("cpu"), precision) for precision in ("fp32", "bf16"))
SHAPE = {"method": "alphagan", "width": 4, "z_dim": 8}
OPTIONS = (*TINY, "--method", "alphagan", "--checkpoint-every", 5, "--seeds", "0-3")


@pytest.fixture
def batch():
    g = torch.Generator().manual_seed(0)
    reals = torch.randn(8, 3, 1, 1, generator=g).tanh().expand(8, 3, 32, 32)
    reals = reals.contiguous(memory_format=torch.channels_last)
    return Batch(reals, torch.arange(8), {"z": torch.randn(8, 8, generator=g)})


def begin(compute=CPU, rate=1e-3, **settings):
    method, state = create(train_config(**SHAPE, **settings), 32, compute)
    for adam in state.optimizers.values():
        adam.param_groups[0]["lr"].fill_(rate)
    return method, state


@pytest.mark.parametrize("compute", [CPU, BF16])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_all_four_learn_and_images_come_back(batch, compute, norm):
    method, state = begin(compute, norm=norm)
    before = {
        name: [p.detach().clone() for p in network.parameters()]
        for name, network in state.networks.items()
    }
    found = torch.stack([method.update(state, [batch], step % 16 == 0) for step in range(40)])
    assert found.isfinite().all()
    error = found[:, AlphaGan.metrics.index("loss_recon")]
    assert error[-1] < 0.8 * error[0]
    for name, network in state.networks.items():
        assert any(
            not torch.equal(p, q) for p, q in zip(network.parameters(), before[name], strict=True)
        )


def test_the_losses_are_those_of_the_paper(batch):
    method, state = begin(rate=0.0, r1=0.0)
    E, G, D, C = (state.networks[name] for name in method.networks)
    with torch.no_grad():
        codes = E(batch.reals)
        again, fakes = G(codes), G(batch.noise["z"])
        real, of_again, of_fakes = D(batch.reals), D(again), D(fakes)
        z, code = C(batch.noise["z"]), C(codes)
    expected = {
        # Real images count twice, against each kind of generated ones once
        "loss_D": (2 * softplus(-real) + softplus(of_again) + softplus(of_fakes)).mean(),
        "loss_C": (softplus(-z) + softplus(code)).mean(),
        "loss_G": -(of_again + of_fakes + code).mean(),
        "loss_recon": (again - batch.reals).abs().mean(),
        "D_recon": of_again.sigmoid().mean(),
        "C_code": code.sigmoid().mean(),
    }
    found = dict(zip(method.metrics, method.update(state, [batch], False), strict=True))
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5, msg=name)


def test_R1_is_felt_by_D_alone(batch):
    gradients = []
    for r1 in (0.0, 100.0):
        method, state = begin(rate=0.0, r1=r1)
        found = dict(zip(method.metrics, method.update(state, [batch], True), strict=True))
        gradients.append([found[f"grad_{name}"].item() for name in ("E", "G", "C", "D")])
    without, with_it = gradients
    assert with_it[:3] == pytest.approx(without[:3], rel=1e-4)
    assert with_it[3] > 1.5 * without[3]


def test_the_verdict_is_the_worse_of_both_games():
    tick = {"accuracy_real": 0.8, "accuracy_fake": 0.8, "grad_D": 5.0, "grad_G": 5.0}
    found = {"diversity": 0.4, "diversity_reals": 0.43, "pace_D": 0.01, "pace_G": 0.01}
    found |= {"error_seen": 0.1, "error_held_out": 0.11}

    def lines(**changed):
        return [{"step": step, **tick, **found, **changed} for step in range(10, 610, 10)]

    assert AlphaGan.judge(lines()[:10]) == EARLY
    assert AlphaGan.judge(lines()) == HEALTHY
    lost = AlphaGan.judge(lines(accuracy_real=1.0, accuracy_fake=1.0, grad_D=0.01))
    assert (lost.kind, lost.advice) == (D_WINS.kind, ADVICE)
    assert "by heart" in str(AlphaGan.judge(lines(error_held_out=0.3)))


@pytest.mark.parametrize("norm", [(), ("--spectral-norm",)])
def test_its_D_judges_images(pack_file, faces, home, invoke, norm):
    train = ("train", pack_file, *OPTIONS, *norm, "--steps", 2, "--milestones", 2)
    invoke(*train, "--out", "run").done()
    assert invoke("judge", home / "run", *sorted(faces.iterdir())[:3]).done()


def test_verdicts_advise_flags_that_there_are():
    flags = set(re.findall(r"--[a-z0-9-]+", ADVICE))
    assert flags <= {f"--{name.replace('_', '-')}" for name in train_config(**SHAPE).flat()}


def test_a_run_is_drawn_stopped_and_resumed_to_the_bit(pack_file, home, invoke):
    train = ("train", pack_file, *OPTIONS, "--milestones", 4, "--evaluate-every", 5)
    invoke(*train, "--out", "whole", "--steps", 20).done()
    for more in (("--steps", 6), ("--steps", 20, "--resume")):
        invoke(*train, "--out", "again", *more).done()
    for role in ("E", "G"):
        one, other = (
            load_network(Run(home / name).generator, role)[0].state_dict()
            for name in ("whole", "again")
        )
        assert all(torch.equal(one[name], other[name]) for name in one)
    run = Run(home / "whole")
    assert run.sheet("reconstructions", 4).exists()
    line = json.loads(run.stats.read_text().splitlines()[-1])
    assert {*AlphaGan.metrics, "score", "lr_C"} <= line.keys()
    for command in (("sample",), ("interpolate",), ("plot",), ("info", "--json")):
        invoke(command[0], run.path, *command[1:]).done()
    line = invoke("train", pack_file, *OPTIONS, "--loss", "ns").refused()
    assert "--loss: is for --method gan, not alphagan" in line
