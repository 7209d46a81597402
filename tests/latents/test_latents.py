import pytest
import torch

from ganface.latents.paths import lerp, slerp, sweep, sweep_along, walk, walks
from ganface.latents.seeds import z_of

Z_DIM = 100


@pytest.fixture
def ends():
    """Two points of equal length, well apart."""
    a, b = z_of((1, 2), Z_DIM)
    return a, b * a.norm() / b.norm()


def test_z_of_a_seed_is_the_same_bits_alone_and_among_many():
    together = z_of(range(200), Z_DIM)
    for seed in (0, 63, 64, 199):
        assert torch.equal(z_of([seed], Z_DIM)[0], together[seed])
    assert torch.equal(z_of(reversed(range(200)), Z_DIM).flip(0), together)


def test_z_of_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    z_of((0, 1), Z_DIM)
    assert torch.equal(torch.get_rng_state(), before)


def test_z_is_standard_normal_and_differs_between_seeds():
    z = z_of(range(300), Z_DIM)
    assert z.dtype == torch.float32
    assert abs(z.mean().item()) < 0.03
    assert abs(z.std().item() - 1) < 0.03
    assert len(z.unique(dim=0)) == 300


@pytest.mark.parametrize("way", [slerp, lerp])
@pytest.mark.parametrize("seeds", [(1, 2), (3, 3)])
def test_a_way_begins_and_ends_at_its_end_points(way, seeds):
    a, b = z_of(seeds, Z_DIM)
    torch.testing.assert_close(way(a, 2 * b, 0), a)
    torch.testing.assert_close(way(a, 2 * b, 1), 2 * b)


def test_lerp_is_the_straight_line(ends):
    a, b = ends
    torch.testing.assert_close(lerp(a, b, 0.25), 0.75 * a + 0.25 * b)


def test_slerp_stays_on_the_sphere_of_its_ends(ends):
    a, b = ends
    for t in torch.linspace(0, 1, 17).tolist():
        torch.testing.assert_close(slerp(a, b, t).norm(), a.norm())
    assert lerp(a, b, 0.5).norm() < 0.9 * a.norm()


def test_slerp_turns_at_an_even_speed(ends):
    a, b = ends
    points = torch.stack([slerp(a, b, t) for t in torch.linspace(0, 1, 9).tolist()]).double()
    angles = torch.cosine_similarity(points[1:], points[:-1]).acos()
    whole = torch.cosine_similarity(a.double(), b.double(), dim=0).acos()
    torch.testing.assert_close(angles, (whole / 8).expand(8), rtol=1e-3, atol=0)


def test_slerp_changes_the_length_evenly(ends):
    a, b = ends
    torch.testing.assert_close(slerp(a, 3 * b, 0.25).norm(), 1.5 * a.norm())


@pytest.mark.parametrize("t", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("factor", [0, 1, 2.5, -1, -0.5, 1 + 1e-6])
@pytest.mark.parametrize("reverse", [False, True])
def test_slerp_of_points_on_one_line_with_the_origin_is_the_straight_line(t, factor, reverse):
    a = z_of((5,), Z_DIM)[0]
    a, b = (factor * a, a) if reverse else (a, factor * a)
    torch.testing.assert_close(slerp(a, b, t), lerp(a, b, t), rtol=1e-4, atol=1e-4)


def test_slerp_of_nearly_antipodal_points_is_finite_and_bounded():
    a = z_of((5,), Z_DIM)[0]
    b = -a
    b[0] += 0.01
    for t in torch.linspace(0, 1, 11).tolist():
        point = slerp(a, b, t)
        assert point.isfinite().all()
        assert point.norm() <= 1.01 * a.norm()


@pytest.mark.parametrize("way", [slerp, lerp])
def test_a_walk_passes_its_stops_and_ends_at_the_last(way):
    stops = z_of(range(4), Z_DIM)
    path = walk(stops, 5, way, loop=False)
    assert path.shape == (3 * 5 + 1, Z_DIM)
    torch.testing.assert_close(path[::5], stops)


def test_a_loop_has_a_leg_more_and_does_not_show_the_first_face_twice():
    stops = z_of(range(3), Z_DIM)
    path = walk(stops, 5, slerp, loop=True)
    assert path.shape == (3 * 5, Z_DIM)
    torch.testing.assert_close(path[::5], stops)
    torch.testing.assert_close(path[11], slerp(stops[2], stops[0], 0.2))
    assert not torch.allclose(path[-1], path[0])


def test_of_z_plus_each_place_takes_its_own_way():
    a, b = z_of(range(3), Z_DIM), z_of(range(3, 6), Z_DIM)
    for way in (slerp, lerp):
        alone = [way(x, y, 0.3) for x, y in zip(a, b, strict=True)]
        assert torch.equal(way(a, b, 0.3), torch.stack(alone))
    both = walks(torch.stack([a, b, b, a]), 2, 4, slerp, loop=False)
    assert both.shape == (2, 5, 3, Z_DIM)
    assert torch.equal(both[0, 1], slerp(a, b, 0.25))


def test_walks_share_out_the_stops_in_order():
    z = z_of(range(6), Z_DIM)
    both = walks(z, 2, 4, slerp, loop=False)
    assert both.shape == (2, 2 * 4 + 1, Z_DIM)
    assert torch.equal(both[0], walk(z[:3], 4, slerp, loop=False))
    assert torch.equal(both[1], walk(z[3:], 4, slerp, loop=False))


def test_a_sweep_changes_only_its_own_dimension():
    z = z_of((9,), Z_DIM)[0]
    rows = sweep(z, (0, 7, 99), -3, 2, 5)
    assert rows.shape == (3, 6, Z_DIM)
    for row, dim in zip(rows, (0, 7, 99), strict=True):
        torch.testing.assert_close(row[:, dim], torch.linspace(-3, 2, 6))
        others = torch.arange(Z_DIM) != dim
        assert torch.equal(row[:, others], z[others].expand(6, -1))


def test_a_sweep_of_z_plus_changes_that_dimension_in_all_places():
    z = z_of((1, 2), Z_DIM)
    rows = sweep(z, (0, 7), -3, 2, 5)
    assert rows.shape == (2, 6, 2, Z_DIM)
    for place in range(2):
        assert torch.equal(rows[:, :, place], sweep(z[place], (0, 7), -3, 2, 5))


def test_a_sweep_along_a_direction_moves_each_place_by_its_part_and_no_label():
    z = torch.cat([z_of((9,), Z_DIM)[0], torch.tensor([1.0, 0])])
    direction = z_of((1, 2, 3), Z_DIM)  # of three places
    (row,) = sweep_along(z, direction[None], -3, 2, 5)
    assert row.shape == (6, 3, Z_DIM + 2)
    for far, point in zip(torch.linspace(-3, 2, 6), row, strict=True):
        torch.testing.assert_close(point[:, :Z_DIM], z[:Z_DIM] + far * direction)
        assert torch.equal(point[:, Z_DIM:], z[Z_DIM:].expand(3, 2))
    # From z⁺ as well
    again = sweep_along(row[0], direction[None], 0, 5, 5)
    torch.testing.assert_close(again[0], row)
