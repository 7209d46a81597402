"""D as a generator: what climbing does to images, and what it leaves alone."""

from itertools import pairwise

import pytest
import torch

from ganface.config.architecture import AscentConfig
from ganface.latents import rng
from ganface.latents.seeds import z_of
from ganface.models.ascent import COARSE, GRAIN, Ascent
from ganface.models.generate import generate

STEPS, LENGTH = 6, 0.3


@pytest.fixture
def G():
    """Which has seen images of plain grey, some darker than others."""
    config = AscentConfig(
        size=32, width=4, z_dim=8, norm="none", ascent_steps=STEPS, step_size=2 * LENGTH
    )
    network = Ascent(config)
    network.initialise(rng.generator(0, "G"))
    network.start_from(torch.linspace(-0.2, 0.2, 8)[:, None, None, None].expand(-1, 3, 32, 32))
    network.steps.fill_(STEPS)
    return network


def test_each_step_has_its_length_and_leads_up(G):
    images = [*G.ascent(z_of(range(5), 8))]
    assert len(images) == STEPS + 1
    for before, after in pairwise(images):
        lengths = (after - before).flatten(1).norm(dim=1)
        torch.testing.assert_close(lengths, torch.full((5,), LENGTH), rtol=1e-4, atol=0)
        assert (G.D(after) > G.D(before)).all()


def test_a_step_leads_straight_up_the_gradient(G):
    images = G.start(z_of(range(3), 8)).requires_grad_()
    (gradient,) = torch.autograd.grad(G.D(images).sum(), images)
    moved = G.step_up(images.detach(), torch.tensor(0.01)) - images
    cosines = torch.cosine_similarity(moved.flatten(1), gradient.flatten(1))
    torch.testing.assert_close(cosines, torch.ones(3), rtol=0, atol=1e-3)


def test_images_stay_within_their_range(G):
    image = G.step_up(torch.ones(1, 3, 32, 32), torch.tensor(1000.0))
    assert image.abs().max() == 1


def test_where_there_is_no_slope_an_image_stays(G):
    torch.nn.init.zeros_(G.D.layers[-1].weight)
    images = [*G.ascent(z_of(range(2), 8))]
    assert torch.equal(images[0], images[-1])


@pytest.mark.parametrize(("steps", "parts"), [(1.0, [1]), (2.25, [1, 1, 0.25]), (6.0, [1] * 6)])
def test_of_the_last_step_that_counts_a_part_is_made(G, steps, parts):
    G.steps.fill_(steps)
    images = [*G.ascent(z_of(range(2), 8))]
    moved = torch.stack([(b - a).flatten(1).norm(dim=1) for a, b in pairwise(images)])
    expected = LENGTH * torch.tensor(parts)[:, None].expand(-1, 2)
    torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-6)


def test_a_step_of_no_length_changes_nothing(G):
    """A CUDA graph makes those after the last, too."""
    images = G(z_of(range(2), 8))
    assert torch.equal(G.step_up(images, torch.tensor(0.0)), images)


def test_the_ascent_grows_while_D_gets_too_much_right(G):
    G.steps.fill_(3.0)
    G.adapt(torch.tensor(0.75))
    assert G.steps == 3.0
    G.adapt(torch.tensor(1.0))
    assert G.steps.item() == pytest.approx(3.05)
    G.adapt(torch.tensor(0.5))
    assert G.steps.item() == pytest.approx(3.0)
    for right, end in ((0.0, 1), (1.0, STEPS)):
        for _ in range(200):
            G.adapt(torch.tensor(right))
        assert G.steps == end


def test_the_start_is_coarsely_like_real_images_and_grain(G):
    dice = torch.Generator().manual_seed(1)
    reals = torch.randn(8, 3, COARSE, COARSE, generator=dice) / 5
    side = 32 // COARSE
    G.start_from(reals.repeat_interleave(side, 2).repeat_interleave(side, 3))
    drawn = G.start(torch.randn(4000, 8, generator=dice))
    cells = torch.nn.functional.adaptive_avg_pool2d(drawn, COARSE)
    smooth = torch.nn.functional.interpolate(reals, size=32, mode="bilinear")
    smooth = torch.nn.functional.adaptive_avg_pool2d(smooth, COARSE)
    torch.testing.assert_close(cells.mean(0), smooth.mean(0), rtol=0, atol=0.03)
    noise = GRAIN / side  # of a cell's mean, if its pixels had nothing to do with each other
    expected = (smooth.var(0) + noise**2).sqrt()
    torch.testing.assert_close(cells.std(0), expected, rtol=0.35, atol=0.02)
    flat = G.start(torch.zeros(1, 8))
    torch.testing.assert_close(
        flat[0], torch.nn.functional.interpolate(reals.mean(0)[None], size=32, mode="bilinear")[0]
    )


def test_one_seed_is_one_face_in_any_batch(G):
    G.eval().requires_grad_(False)
    whole = generate(G, z_of(range(9), 8))
    alone = torch.cat([generate(G, z_of([seed], 8)) for seed in range(9)])
    assert (whole.int() - alone.int()).abs().max() <= 1  # sums of other orders round otherwise
    assert (whole[0] != whole[1]).any()


def test_climbing_gives_no_weight_a_gradient_and_asks_for_none(G):
    z = z_of(range(2), 8)
    taken = G(z)
    with torch.inference_mode():
        drawn = G(z)
    with torch.no_grad():
        quiet = G(z)
    assert torch.equal(taken, drawn)
    assert torch.equal(taken, quiet)
    assert not taken.requires_grad
    assert all(p.grad is None and p.requires_grad for p in G.parameters())
