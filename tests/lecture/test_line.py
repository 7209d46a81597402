import pytest
import torch

from ganface.lecture import line
from ganface.lecture.line import BATCH_SIZE, BUMPS, CURVE, LIMIT, SHOWN, wasserstein_1


@pytest.fixture(scope="module")
def learnt():
    return line.learn(0)


def test_wasserstein_1_is_the_way_that_numbers_move_whatever_their_order():
    a = torch.tensor([3.0, 0.0, 1.0])
    assert wasserstein_1(a, a.flip(0)) == 0
    assert wasserstein_1(a, a + 2) == 2
    assert wasserstein_1(a, torch.tensor([0.0, 1.0, 6.0])) == 1


def test_reals_lie_at_the_bumps(learnt):
    for sign, mean in zip((-1, 1), BUMPS, strict=True):
        half = learnt.reals[learnt.reals * sign > 0]
        assert len(half) == BATCH_SIZE // 2
        assert half.mean() == pytest.approx(mean, abs=0.15)


def test_what_is_generated_comes_near_to_the_reals(learnt):
    assert tuple(each.number for each in learnt.shown) == SHOWN
    first, last = learnt.shown[0], learnt.shown[-1]
    assert last.distance < first.distance / 2
    for each in learnt.shown:
        assert each.distance == wasserstein_1(each.generated, learnt.reals)
        assert each.generated.abs().max() <= LIMIT


def test_the_last_D_is_higher_at_reals_than_elsewhere(learnt):
    curve = learnt.shown[-1].curve
    places = torch.linspace(-LIMIT, LIMIT, CURVE)
    at_bumps = [curve[(places - mean).abs().argmin()] for mean in BUMPS]
    assert min(at_bumps) > max(curve[0], curve[CURVE // 2], curve[-1])


def test_climbing_leads_up_and_not_off_the_line():
    def hill(x):
        return -(x - 1).square()

    starts = torch.linspace(-LIMIT, LIMIT, 9)[:, None]
    assert torch.allclose(line._climb(hill, starts), torch.ones(9, 1), atol=1e-4)
    assert torch.equal(line._climb(lambda x: 9 * x, starts), torch.full((9, 1), LIMIT))


def test_one_seed_one_D_whatever_was_drawn_before(monkeypatch):
    monkeypatch.setattr(line, "SHOWN", (1, 2))
    first = line.learn(3)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    again, other = line.learn(3), line.learn(4)
    assert torch.equal(before, torch.random.get_rng_state())
    for a, b, c in zip(first.shown, again.shown, other.shown, strict=True):
        assert torch.equal(a.curve, b.curve)
        assert torch.equal(a.generated, b.generated)
        assert not torch.equal(a.generated, c.generated)


def test_the_picture_has_a_panel_for_each_round(learnt):
    few = line.Rounds(learnt.reals, learnt.shown[:2])
    all_, some = line.draw(learnt), line.draw(few)
    assert all_.width == some.width
    assert all_.height > 1.7 * some.height
