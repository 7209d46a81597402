import pytest

from ganface.pictures.grid import PAPER
from ganface.pictures.panels import COLOURS
from ganface.pictures.rug import (
    GAP,
    HEADER,
    HEIGHT,
    LEFT,
    LEGEND,
    RIGHT,
    STRIP,
    WIDTH,
    Panel,
    draw_rug,
)

NAMES = ("D(x)", "reals", "generated")
NOTHING = [0.0] * 5


def at(sheet, panel, x, y):
    """The pixel at x in [-1, 1] and y in [0, 1]; ticks are below 0."""
    top = LEGEND + panel * (HEADER + HEIGHT + STRIP + GAP) + HEADER
    across = LEFT + (x + 1) / 2 * (WIDTH - LEFT - RIGHT)
    return sheet.getpixel((round(across), round(top + (1 - y) * HEIGHT)))


def draw(*panels, area=NOTHING):
    return draw_rug(panels, area, 1, NAMES)


def test_curves_pass_through_their_values_in_their_panels():
    sheet = draw(Panel("a", "", [0.5] * 5, []), Panel("b", "", [0, 0.25, 0.5, 0.75, 1], []))
    for x in (-0.8, 0, 0.8):
        assert at(sheet, 0, x, 0.5) == COLOURS[0]
        assert at(sheet, 1, x, (x + 1) / 2) == COLOURS[0]
    assert at(sheet, 0, 0.8, 0.9) == at(sheet, 1, 0.8, 0.5) == PAPER


def test_points_are_ticks_below_where_they_lie():
    sheet = draw(Panel("a", "", NOTHING, [0.5] * 50), Panel("b", "", NOTHING, []))
    below = -STRIP / 2 / HEIGHT
    assert at(sheet, 0, 0.5, below) == pytest.approx(COLOURS[1], abs=2)
    assert at(sheet, 0, -0.5, below) == at(sheet, 1, 0.5, below) == PAPER


def test_the_area_is_filled_below_its_values_in_every_panel():
    sheet = draw(*[Panel(name, "", NOTHING, []) for name in "ab"], area=[0, 0, 0.8, 0, 0])
    for panel in (0, 1):
        assert at(sheet, panel, 0, 0.5) != PAPER
        assert at(sheet, panel, 0, 0.9) == at(sheet, panel, 0.6, 0.5) == PAPER
