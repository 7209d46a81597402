import pytest
import torch

from ganface.dataset.order import DataOrder
from ganface.latents.rng import generator, normal, uniform

STEPS = 30


def order(steps, seed=0, length=20, batch_size=8):
    source = DataOrder(seed, length, batch_size)
    return {step: source.indices_at(step).tolist() for step in steps}


@pytest.mark.parametrize("batch_size", [4, 8, 20, 33, 64])
def test_every_image_comes_once_per_epoch_even_where_batches_span_epochs(batch_size):
    batches = order(range(1, STEPS + 1), batch_size=batch_size)
    assert all(len(batch) == batch_size for batch in batches.values())
    stream = [index for batch in batches.values() for index in batch]
    for start in range(0, len(stream) - 19, 20):
        assert sorted(stream[start : start + 20]) == list(range(20))


def test_the_order_differs_between_epochs_and_between_seeds():
    epochs = order(range(1, 11), batch_size=20)
    assert len({tuple(epoch) for epoch in epochs.values()}) == 10
    assert order([1]) != order([1], seed=1)


def test_the_order_is_a_function_of_the_step_however_it_is_asked_for():
    forwards = order(range(1, STEPS + 1))
    assert order(range(STEPS, 0, -1)) == forwards
    assert order([17]) == {17: forwards[17]}


@pytest.mark.parametrize(
    "draw", [lambda s, step: normal(s, "z", step, 16, 8), lambda s, step: uniform(s, "x", step, 64)]
)
def test_noise_is_a_function_of_seed_and_step(draw):
    before = torch.get_rng_state()
    assert torch.equal(draw(3, 5), draw(3, 5))
    assert not torch.equal(draw(3, 5), draw(3, 6))
    assert not torch.equal(draw(3, 5), draw(4, 5))
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_is_standard_normal_or_uniform():
    z = normal(0, "z", 1, 1000, 20)
    assert abs(z.mean().item()) < 0.03
    assert abs(z.std().item() - 1) < 0.03
    chances = uniform(0, "flips", 1, 10_000)
    assert 0 <= chances.min() < 0.01
    assert 0.99 < chances.max() < 1
    assert 0.47 < chances.mean().item() < 0.53


def test_streams_of_one_seed_share_nothing():
    names = [(0, "z", 1), (0, "z", 2), (0, "flips", 1), (1, "z", 1), (0, "z", 11), (0, "G", 0)]
    draws = [torch.rand(4, generator=generator(*name)) for name in names]
    assert len(torch.stack(draws).unique(dim=0)) == len(names)
