import json
import shutil

import pytest
import torch
from conftest import TINY, train_config

from ganface.dataset.pack import Pack
from ganface.io.run import Run
from ganface.methods.base import Batch
from ganface.methods.codes import CODES_SAY_LITTLE, FromCodes
from ganface.methods.probe import Probe
from ganface.methods.verdict import EARLY, HEALTHY
from ganface.models.snapshot import load_generator
from ganface.system.device import Compute
from ganface.training.checkpoint import tensors_of
from ganface.training.memory import estimate
from ganface.training.start import create

CPU, BF16 = (Compute(torch.device("cpu"), precision) for precision in ("fp32", "bf16"))
SHAPE = {"method": "codes", "width": 4, "z_dim": 8}
OPTIONS = (*TINY, "--method", "codes", "--checkpoint-every", 5, "--seeds", "0-3")


@pytest.fixture
def pack(pack_file):
    return Pack(pack_file)


@pytest.fixture
def batch():
    """Plain images, each of a colour of its own."""
    g = torch.Generator().manual_seed(0)
    reals = torch.randn(8, 3, 1, 1, generator=g).tanh().expand(8, 3, 32, 32)
    return Batch(reals.contiguous(memory_format=torch.channels_last), torch.arange(8), {})


def begin(pack, compute=CPU, **settings):
    method, state = create(train_config(**SHAPE, **settings), 32, compute)
    method.prepare(state, pack)
    for adam in state.optimizers.values():
        adam.param_groups[0]["lr"].fill_(1e-2)
    return method, state


@pytest.mark.parametrize("compute", [CPU, BF16])
@pytest.mark.parametrize("kind", ["random", "pca", "learned"])
def test_G_learns_to_draw_images_from_their_codes(pack, batch, kind, compute):
    method, state = begin(pack, compute, codes=kind)
    before = tensors_of(state)["codes.weight"].clone()
    found = torch.stack([method.update(state, [batch], False) for _ in range(40)])
    assert found.isfinite().all()
    assert found[-1, 0] < 0.7 * found[0, 0]
    changed = (state.networks["codes"].weight != before).any(1)
    assert changed[:8].all() == changed[:8].any() == (kind == "learned")
    assert not changed[8:].any()  # of images that were not in the batch


def test_random_codes_are_a_function_of_the_seed_and_those_of_pca_of_the_images(pack):
    def codes(kind, seed):
        return begin(pack, codes=kind, seed=seed)[1].networks["codes"].weight

    assert torch.equal(codes("random", 1), codes("random", 1))
    assert not torch.equal(codes("random", 1), codes("random", 2))
    assert torch.equal(codes("pca", 1), codes("pca", 2))


def test_images_are_not_mirrored_unless_asked_for():
    assert not train_config(**SHAPE).data.flip
    assert train_config(**SHAPE, flip=True).data.flip


def test_the_averages_are_measured_on_codes_of_images(pack):
    method, state = begin(pack)
    probe = Probe(pack, 0, 8, CPU.device)
    method.recalibrate(state, probe)
    G, codes = state.ema["G"], state.networks["codes"]
    norm = next(module for module in G.modules() if isinstance(module, torch.nn.BatchNorm2d))
    seen = []
    norm.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))  # noqa: ARG005
    with torch.no_grad():
        G(torch.cat([codes(indices) for indices in probe.calibration_indices]))
    torch.testing.assert_close(norm.running_mean, seen[0].mean((0, 2, 3)), rtol=1e-3, atol=1e-4)


def test_the_verdict_names_codes_that_say_little():
    def lines(error, step=600):
        line = {"error_seen": error, "error_of_mean": 0.2}
        return [{"step": step + 50 * i, **line} for i in range(3)]

    assert FromCodes.judge(lines(0.15, 10)) == FromCodes.judge(lines(0.15)[:2]) == EARLY
    assert FromCodes.judge(lines(0.15)) == CODES_SAY_LITTLE
    assert FromCodes.judge(lines(0.05)) == HEALTHY


def test_the_estimate_counts_what_there_is_for_each_image():
    def of_images(kind):
        config = train_config(**SHAPE, codes=kind)
        one, other = (estimate(config, 32, "fp32", False, 8, images) for images in (0, 10**6))
        return (other - one) / 10**6

    assert of_images("learned") == 3 * of_images("pca") == 3 * of_images("random")
    assert of_images("pca") >= 4 * 8


@pytest.mark.parametrize("kind", ["random", "pca", "learned"])
def test_a_run_is_drawn_stopped_and_resumed_to_the_bit(pack_file, home, invoke, kind):
    train = ("train", pack_file, *OPTIONS, "--codes", kind, "--milestones", 4)
    train = (*train, "--evaluate-every", 5)
    invoke(*train, "--out", "whole", "--steps", 10).done()
    for more in (("--steps", 6), ("--steps", 10, "--resume")):
        invoke(*train, "--out", "again", *more).done()
    one, other = (
        load_generator(Run(home / name).generator)[0].state_dict() for name in ("whole", "again")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)
    run = Run(home / "whole")
    assert run.sheet("fitted", 4).exists()
    assert run.sheet("reconstructions", 4).exists()
    line = json.loads(run.stats.read_text().splitlines()[-1])
    assert {*FromCodes.metrics, "score"} <= line.keys()
    assert ("lr_codes" in line) == (kind == "learned")
    for command in (("sample",), ("interpolate",), ("plot",), ("info", "--json")):
        invoke(command[0], run.path, *command[1:]).done()


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--z-dim", 800), "--codes learned: PCA gives codes of 768 numbers at most"),
        (("--codes", "none"), "--codes"),
        (("--beta", 1), "--beta: is for --method vae, not codes"),
    ],
)
def test_what_makes_no_sense_is_refused(pack_file, invoke, flags, says):
    assert says in invoke("train", pack_file, *OPTIONS, *flags).refused()


def test_G_can_begin_with_that_of_other_images_and_codes_do_not(pack_file, faces, home, invoke):
    train = (*OPTIONS, "--steps", 2, "--milestones", 2, "--evaluate-every", 0)
    invoke("train", pack_file, *train, "--out", "one").done()
    fewer = home / "fewer"
    fewer.mkdir()
    for path in sorted(faces.iterdir())[:60]:
        shutil.copy(path, fewer)
    result = invoke("train", fewer, *train, "--out", "two", "--init-from", "one")
    assert result.code == 0
    assert "begins with G, G_ema of" in result.err
