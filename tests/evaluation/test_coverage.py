import pytest
import torch

from ganface.evaluation import neighbours
from ganface.evaluation.coverage import NEIGHBOURS, density_and_coverage, neighbourhoods
from ganface.evaluation.neighbours import kth_distance, mean_distance


def normal(seed, count, d=8):
    return torch.randn(count, d, generator=torch.Generator().manual_seed(seed))


def measure(reals, fakes):
    return density_and_coverage(reals, neighbourhoods(reals), fakes)


def test_the_kth_distance_leaves_the_point_itself_out():
    points = torch.tensor([[0.0], [1], [3], [7]])
    assert kth_distance(points, 1).tolist() == [1, 1, 2, 4]
    assert kth_distance(points, 2).tolist() == [3, 2, 3, 6]


def test_the_mean_distance_is_that_over_pairs():
    assert mean_distance(torch.tensor([[0.0], [1], [3]])) == pytest.approx(2)


def test_the_reals_themselves_cover_all():
    reals = normal(0, 200)
    density, coverage = measure(reals, reals)
    assert coverage == 1
    assert density == pytest.approx((NEIGHBOURS + 1) / NEIGHBOURS)  # each lies in its own ball too


def test_fakes_of_the_same_kind_come_to_what_naeem_et_al_derive():
    count = 1500
    density, coverage = measure(normal(0, count), normal(1, count))
    missed = 1.0
    for k in range(1, NEIGHBOURS + 1):
        missed *= (count - k) / (2 * count - k)
    assert coverage == pytest.approx(1 - missed, abs=0.015)
    assert density == pytest.approx(1, abs=0.1)


def test_density_is_of_the_fakes_however_many_they_are():
    reals, fakes = normal(0, 100), normal(1, 60)
    once, again = measure(reals, fakes), measure(reals, torch.cat([fakes, fakes, fakes]))
    assert once == pytest.approx(again)


def test_fakes_far_from_all_reals_cover_nothing():
    assert measure(normal(0, 100), normal(1, 100) + 100) == (0, 0)


def test_fakes_of_half_the_kinds_cover_half():
    apart = torch.zeros(400, 8)
    apart[200:] = 100
    reals, fakes = normal(0, 400) + apart, normal(1, 400)
    _, coverage = measure(reals, fakes)
    assert coverage == pytest.approx(0.5, abs=0.01)


def test_one_real_face_again_and_again_is_dense_and_covers_little():
    reals = normal(0, 300, d=2)
    middle = reals[reals.norm(dim=1).argmin()]
    density, coverage = measure(reals, middle.repeat(300, 1))
    assert density > 0.8
    assert coverage < 0.05


def test_blocks_of_rows_give_what_one_block_gives(monkeypatch):
    reals, fakes = normal(0, 70), normal(1, 50)
    whole = measure(reals, fakes), kth_distance(reals, 3), mean_distance(reals)
    monkeypatch.setattr(neighbours, "BLOCK", 70 * 3)
    assert measure(reals, fakes) == whole[0]
    torch.testing.assert_close(kth_distance(reals, 3), whole[1])
    assert mean_distance(reals) == pytest.approx(whole[2])


def test_points_far_from_the_origin_keep_their_distances():
    points = torch.tensor([[0.0, 0], [3, 4], [6, 8]]).repeat(20, 1) + 1e4
    assert kth_distance(points, 20).unique().tolist() == pytest.approx([5], rel=1e-3)
