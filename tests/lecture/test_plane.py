import pytest
import torch

from ganface.lecture import plane
from ganface.lecture.plane import NEAR, SIGMA, SPOTS, Facts, centres, facts


@pytest.fixture(scope="module")
def learnt():
    return plane.learn(0)


def test_facts_count_what_is_near_a_centre():
    assert facts(centres()) == Facts(1.0, SPOTS)
    assert facts(torch.zeros(10, 2)) == Facts(0.0, 0)
    at_one = centres()[:1].expand(SPOTS, 2)
    assert facts(at_one) == Facts(1.0, 1)
    edge = torch.tensor([[1 + 0.99 * NEAR * SIGMA, 0.0], [1 + 1.01 * NEAR * SIGMA, 0.0]])
    assert facts(edge).on_target == 0.5


def test_a_centre_is_found_from_a_third_of_its_share_on():
    share = 30
    most = centres()[1:].repeat(share, 1)
    few = [centres()[:1].expand(count, 2) for count in (9, 10, 11)]
    # A third of the fair share is the 24th part of all: 9.1 of 219, 9.2 of 220
    assert [facts(torch.cat([most, each])).found for each in few] == [SPOTS - 1, SPOTS, SPOTS]


def test_targets_are_on_target(learnt):
    found = learnt.facts["reals"]
    assert found.found == SPOTS
    assert found.on_target == pytest.approx(0.989, abs=0.01)  # 1 - exp(-NEAR² / 2)


def test_the_gan_keeps_to_the_targets_and_the_vae_does_not(learnt):
    vae, gan = learnt.facts["vae"], learnt.facts["gan"]
    assert gan.found == SPOTS
    assert gan.on_target > 0.85
    assert 0.2 < vae.on_target < 0.7  # it has learnt, and still fills the space between


def test_one_seed_one_plane_whatever_was_drawn_before(monkeypatch):
    monkeypatch.setattr(plane, "UPDATES", 5)
    first = plane.learn(3)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    again, other = plane.learn(3), plane.learn(4)
    assert torch.equal(before, torch.random.get_rng_state())
    for name in ("reals", "vae", "gan"):
        assert torch.equal(getattr(first, name), getattr(again, name))
        assert not torch.equal(getattr(first, name), getattr(other, name))


def test_the_picture_has_a_square_for_each(learnt):
    picture = plane.draw(learnt)
    assert picture.width > 2 * picture.height
