import pytest

from ganface.pictures.grid import PAPER
from ganface.pictures.panels import COLOURS
from ganface.pictures.scatter import HEADER, MARGIN, SIDE, Cloud, draw_scatter

LEFT, TOP = MARGIN, HEADER


def at(sheet, square, x, y):
    """The pixel at (x, y), each in [-1, 1], of a square."""
    left = LEFT + square * (SIDE + MARGIN)
    return sheet.getpixel((left + round((x + 1) / 2 * SIDE), TOP + round((1 - y) / 2 * SIDE)))


def test_points_are_drawn_where_they_lie_in_the_square_of_their_cloud():
    many = 50  # so that the colour is full, but for rounding
    clouds = [Cloud("a", "", [(0.5, 0.25)] * many), Cloud("b", "", [(-0.5, -0.75)] * many)]
    sheet = draw_scatter(clouds, [], 1)
    assert at(sheet, 0, 0.5, 0.25) == pytest.approx(COLOURS[0], abs=2)
    assert at(sheet, 1, -0.5, -0.75) == pytest.approx(COLOURS[1], abs=2)
    assert at(sheet, 0, -0.5, -0.75) == at(sheet, 1, 0.5, 0.25) == PAPER


def test_what_lies_outside_is_left_out():
    empty = draw_scatter([Cloud("a", "", [])], [], 1)
    assert draw_scatter([Cloud("a", "", [(1.5, 0), (0, -2)])], [], 1) == empty


def test_a_ring_is_as_large_as_its_radius_in_every_square():
    sheet = draw_scatter([Cloud("a", "", []), Cloud("b", "", [])], [(0, 0, 0.5)], 1)
    for square in (0, 1):
        for x, y in ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5)):
            assert any(at(sheet, square, x + d, y + e) != PAPER for d, e in near())
        assert at(sheet, square, 0, 0) == PAPER


def near():
    pixel = 2 / SIDE
    return [(i * pixel, j * pixel) for i in (-1, 0, 1) for j in (-1, 0, 1)]
