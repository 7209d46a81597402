import json

import pytest
import torch
from conftest import TINY, changed, train_config
from PIL import Image

from ganface.dataset.pack import Pack
from ganface.io.run import Run
from ganface.methods.base import Batch
from ganface.methods.energy import D_IS_FLAT, FACES_ALIKE, OUT_OF_REACH, STEPS_TOO_LONG, Energy
from ganface.methods.probe import Probe
from ganface.methods.verdict import EARLY, HEALTHY
from ganface.models.snapshot import load_network
from ganface.system.device import Compute
from ganface.training.checkpoint import tensors_of
from ganface.training.start import create

CPU, BF16 = (Compute(torch.device("cpu"), precision) for precision in ("fp32", "bf16"))
CONFIG = train_config(
    method="energy", width=4, z_dim=8, batch_size=8, ascent_steps=4, step_size=1.0
)
OPTIONS = (*TINY, "--method", "energy", "--ascent-steps", 3, "--step-size", 0.2)
OPTIONS += ("--seeds", "0-3", "--checkpoint-every", 5)
RATE = 1e-3


@pytest.fixture
def batch():
    """Plain images, each of a colour of its own."""
    g = torch.Generator().manual_seed(0)
    reals = torch.randn(8, 3, 1, 1, generator=g).tanh().expand(8, 3, 32, 32)
    reals = reals.contiguous(memory_format=torch.channels_last)
    return Batch(reals, torch.arange(8), {"z": torch.randn(8, 8, generator=g)})


def begin(config=CONFIG, compute=CPU):
    method, state = create(config, 32, compute)
    state.optimizers["G"].param_groups[0]["lr"].fill_(RATE)
    return method, state


@pytest.mark.parametrize("compute", [CPU, BF16])
def test_D_learns_to_tell_what_it_climbs_to_from_real_images(batch, compute):
    method, state = begin(compute=compute)
    figures = [method.update(state, [batch], False) for _ in range(40)]
    found = dict(zip(Energy.metrics, torch.stack(figures).T, strict=True))
    assert all(values.isfinite().all() for values in found.values())
    assert found["loss_D"][-1] < 0.7 * found["loss_D"][0]
    assert found["D_x"][-1] > found["D_Gz"][-1]
    assert state.networks["G"].steps > 1


def test_an_update_moves_D_by_its_own_loss_alone(batch):
    """Nothing of the ascent is left in the gradient."""
    method, state = begin(changed(CONFIG, r1=0.0))
    G = state.networks["G"]
    fakes = G(batch.noise["z"])
    loss = -(G.D(batch.reals).sigmoid().log().mean() + (1 - G.D(fakes).sigmoid()).log().mean())
    expected = torch.autograd.grad(loss, list(G.parameters()))
    method.update(state, [batch], False)
    for parameter, gradient in zip(G.parameters(), expected, strict=True):
        assert parameter.requires_grad
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-6)


def test_R1_keeps_D_flat_at_real_images(batch):
    slopes = []
    for r1 in (0.0, 100.0):
        method, state = begin(changed(CONFIG, r1=r1))
        slopes.append([method.update(state, [batch], False)[1].item() for _ in range(30)][-1])
    assert slopes[1] < 0.3 * slopes[0]


def test_to_diagnose_leaves_no_trace_and_sees_the_rise(pack_file):
    method, state = begin()
    before = {name: tensor.clone() for name, tensor in tensors_of(state).items()}
    figures = method.diagnose(state, Probe(Pack(pack_file), 0, 8, CPU.device))
    found = dict(zip(Energy.diagnostics, figures.tolist(), strict=True))
    assert found["rise"] > 0
    assert 0 < found["D_held_out"] < 1
    after = tensors_of(state)
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert all(p.requires_grad and p.grad is None for p in state.networks["G"].parameters())


def test_where_no_image_is_held_out_nothing_is_said_of_any(pack_file):
    method, state = begin()
    probe = Probe(Pack(pack_file), 0, 8, CPU.device)
    probe.held_out = probe.held_out[:0]
    held_out, *others = method.diagnose(state, probe)
    assert held_out.isnan()
    assert all(figure.isfinite() for figure in others)


def test_what_G_ema_knows_beside_its_weights_is_what_G_does(batch, pack_file):
    method, state = begin()
    method.prepare(state, Pack(pack_file))
    method.update(state, [batch], False)
    method.recalibrate(state, Probe(Pack(pack_file), 0, 8, CPU.device))
    G, G_ema = state.networks["G"], state.ema["G"]
    assert G.examples.abs().sum() > 0
    assert all(torch.equal(a, b) for a, b in zip(G.buffers(), G_ema.buffers(), strict=True))


def test_a_run_is_drawn_scored_stopped_and_resumed_like_any_other(pack_file, home, invoke):
    train = ("train", pack_file, *OPTIONS, "--milestones", 4, "--evaluate-every", 5)
    invoke(*train, "--out", "whole", "--steps", 10).done()
    for more in (("--steps", 6), ("--steps", 10, "--resume")):
        invoke(*train, "--out", "again", *more).done()
    one, other = (
        load_network(Run(home / name).generator, "G")[0].state_dict() for name in ("whole", "again")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)

    run = Run(home / "whole")
    with Image.open(run.sheet("ascent", 4)) as sheet:
        assert sheet.size == (2 * 66 - 2, 8 * 66 - 2)  # noise, and the first step
    line = json.loads(run.stats.read_text().splitlines()[-1])
    assert {*Energy.metrics, "steps_climbed", "score", "lr"} <= line.keys()
    for command in (
        ("sample",),
        ("interpolate",),
        ("plot",),
        ("info", "--json"),
        ("judge", "--seeds", "0-3"),
    ):
        invoke(command[0], run.path, *command[1:]).done()
    invoke(
        "train", pack_file, *OPTIONS, "--init-from", run.path, "--steps", 1, "--out", "on"
    ).done()
    line = invoke("train", pack_file, "--size", 32, "--init-from", run.path).refused()
    assert "--ascent-steps: is for --method energy, not gan" in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--norm", "batch"), "--norm batch, which --preset dcgan brings: mixes images"),
        (("--spectral-norm",), "--spectral-norm: "),
        (("--z-dim", 1), "--z-dim 1: "),
        (("--keep-discriminator",), "--keep-discriminator: "),
        (("--ascent-steps", 0), "--ascent-steps 0: must lie between 1 and 1000"),
        (("--step-size", 0), "--step-size 0.0: must lie between"),
        (("--step-size", "nan"), "--step-size nan: must lie between"),
        (("--r1", -1), "--r1 -1.0: must be at least 0"),
        (("--r2", 1), "--r2: is for --method gan, not energy"),
    ],
)
def test_settings_that_make_no_sense_are_refused(pack_file, invoke, options, message):
    assert message in invoke("train", pack_file, *OPTIONS, *options).refused()


def test_its_settings_are_for_no_other_method(pack_file, invoke):
    line = invoke("train", pack_file, *TINY, "--step-size", 1).refused()
    assert "--step-size: is for --method energy, not gan" in line


def lines(step=600, count=3, **figures):
    healthy = {"accuracy_real": 0.85, "accuracy_fake": 0.8, "rise": 6.0}
    healthy |= {"diversity": 0.2, "diversity_reals": 0.4}
    return [{"step": step + 50 * i, **healthy, **figures} for i in range(count)]


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([], EARLY),
        (lines(100), EARLY),
        (lines(), HEALTHY),
        (lines(rise=0.01), D_IS_FLAT),
        (lines(accuracy_real=1.0, accuracy_fake=1.0), OUT_OF_REACH),
        (lines(accuracy_real=1.0), HEALTHY),
        (lines(rise=-2.0), STEPS_TOO_LONG),
        (lines(diversity=0.02), FACES_ALIKE),
        ([*lines(), *lines(750, 1, rise=0.01)], HEALTHY),  # a single line says little
    ],
)
def test_the_verdict_names_what_is_the_matter(found, verdict):
    assert Energy.judge(found) == verdict
    assert Energy.judge(Energy.relevant(found)) == verdict


def test_the_verdict_follows_the_score():
    scores = [{**line, "score": score} for line, score in zip(lines(), (10, 30, 30), strict=True)]
    assert Energy.judge(scores).kind == "faces are getting worse since step 600"
