import pytest
import torch
from conftest import changed

from ganface.errors import UserError
from ganface.io.run import Run
from ganface.io.tensors import read_tensors, write_tensors
from ganface.latents import rng
from ganface.methods.base import Batch
from ganface.system.device import Compute
from ganface.training.checkpoint import (
    meta_of,
    newest_good,
    remove_old,
    restore,
    save_checkpoint,
    set_aside,
    tensors_of,
)
from ganface.training.config import TrainConfig
from ganface.training.start import create

CPU = Compute(torch.device("cpu"), "fp32")
CONFIG = TrainConfig.of({"preset": "dcgan", "batch_size": 4, "width": 4, "z_dim": 8})
FREE = changed(CONFIG, norm="none")


def go_on(method, state, updates=2):
    for _ in range(updates):
        state.step += 1
        reals = rng.normal(9, "reals", state.step, 4, 3, 32, 32).tanh()
        batch = Batch(reals, torch.arange(4), method.noise(state.step, 4))
        state.tensors["sums"] += method.update(state, [batch], apply_reg=True)
        state.summed += 1
    return state


def assert_equal(one, other):
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_a_start_depends_on_the_seed_alone_and_its_average_is_G():
    one, two = (create(CONFIG, 32, CPU)[1] for _ in range(2))
    assert_equal(tensors_of(one), tensors_of(two))
    _, other = create(changed(CONFIG, seed=1), 32, CPU)
    G, G_ema = one.networks["G"], one.ema["G"]
    assert not torch.equal(other.networks["G"].layers[0].weight, G.layers[0].weight)
    assert_equal(G.state_dict(), G_ema.state_dict())
    assert not any(p.requires_grad for p in G_ema.parameters())
    assert not G_ema.training


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        changed(FREE, loss="hinge", spectral_norm=True),
        changed(FREE, loss="rpgan", r1=1.0, r2=1.0, augment="on", upsample="nearest"),
        changed(FREE, loss="wgan-gp", lr_d=1e-3),
    ],
    ids=lambda config: config.method.loss,
)
def test_a_restored_training_is_the_saved_one_and_goes_on_alike(tmp_path, config):
    path = tmp_path / "checkpoint"
    method, saved = create(config, 32, CPU)
    go_on(method, saved)
    saved.seconds = 12.5
    save_checkpoint(path, tensors_of(saved), meta_of(saved, method.architecture))
    meta, tensors = read_tensors(path, "checkpoint")
    _, restored = create(changed(config, seed=5), 32, CPU)
    restore(restored, meta, tensors)
    assert_equal(tensors_of(restored), tensors_of(saved))
    assert (restored.step, restored.summed, restored.seconds) == (2, 2, 12.5)
    for state in (saved, restored):
        go_on(method, state)
    assert_equal(tensors_of(restored), tensors_of(saved))


def test_moments_take_the_memory_layout_of_their_weights(tmp_path):
    path = tmp_path / "checkpoint"
    method, saved = create(CONFIG, 32, CPU)
    go_on(method, saved)
    save_checkpoint(path, tensors_of(saved), meta_of(saved, method.architecture))
    _, restored = create(CONFIG, 32, CPU)
    restore(restored, *read_tensors(path, "checkpoint"))
    for optimizer in restored.optimizers.values():
        for parameter, moments in optimizer.state.items():
            assert moments["exp_avg"].stride() == parameter.stride()
            assert moments["exp_avg_sq"].stride() == parameter.stride()


@pytest.fixture
def run(tmp_path):
    """A run with (nearly empty) checkpoints of steps 5, 10 and 15."""
    run = Run(tmp_path / "run")
    for step in (5, 10, 15):
        write_tensors(run.checkpoint(step), "checkpoint", {"a": torch.zeros(1)}, {"step": step})
    return run


def damage(path):
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")


def test_the_newest_checkpoint_is_found(run):
    meta, tensors, complaints = newest_good(run)
    assert meta["step"] == 15
    assert torch.equal(tensors["a"], torch.zeros(1))
    assert complaints == []


def test_a_damaged_checkpoint_is_passed_over_and_said_so(run):
    damage(run.checkpoint(15))
    run.checkpoint(10).write_bytes(b"")
    meta, _, complaints = newest_good(run)
    assert meta["step"] == 5
    newest, next_newest = complaints
    assert str(run.checkpoint(15)) in newest
    assert str(run.checkpoint(10)) in next_newest


def test_a_run_of_only_damaged_checkpoints_is_refused(run):
    for path in run.checkpoints().values():
        damage(path)
    with pytest.raises(UserError, match="no checkpoint is whole"):
        newest_good(run)


def test_a_run_without_checkpoints_has_none(tmp_path):
    assert newest_good(Run(tmp_path)) is None


@pytest.mark.parametrize(("keep", "left"), [(1, [15]), (2, [10, 15]), (9, [5, 10, 15])])
def test_the_newest_checkpoints_are_kept(run, keep, left):
    remove_old(run, keep)
    assert list(run.checkpoints()) == left


def test_checkpoints_that_were_passed_over_take_no_place_of_those_to_keep(run):
    set_aside(run, 5)
    assert list(run.checkpoints()) == [5]
    assert len(list(run.checkpoint(5).parent.glob("*.set-aside"))) == 2
