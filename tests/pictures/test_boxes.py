import pytest
from PIL import ImageColor

from ganface.pictures.boxes import COLUMN, HEIGHT, LEFT, TOP, Box, draw_boxes
from ganface.pictures.panels import BAD, COLOURS

WHITE = ImageColor.getrgb("white")


def column(chart, number, shift=0):
    """The pixels below each other of the axis, through the middle of a box or beside it."""
    x = LEFT + COLUMN * number + COLUMN // 2 + shift
    return [chart.getpixel((x, y)) for y in range(TOP - 10, TOP + HEIGHT + 10)]


def span(pixels, colour):
    found = [y for y, pixel in enumerate(pixels) if pixel == colour]
    return found[0], found[-1]


def is_blue(pixel):
    return pixel[2] > pixel[0] + 60


def test_whiskers_reach_as_far_as_values_do():
    wide, narrow = Box("a", [10.0, 20.0, 30.0, 40.0], None, ""), Box("b", [20.0, 22.0], None, "")
    chart = draw_boxes("", [wide, narrow], "", 10.0, "")
    ends = [[y for y, p in enumerate(column(chart, n)) if is_blue(p)] for n in (0, 1)]
    length = [ys[-1] - ys[0] for ys in ends]
    assert length[0] == pytest.approx(HEIGHT / 1.12, abs=6)  # all but the room at both ends
    assert length[1] == pytest.approx(length[0] * 2 / 30, abs=6)


def test_values_that_spread_widely_have_a_logarithmic_axis():
    def middle(values):
        star = Box("a", values, values[1], "")
        first, last = span(column(draw_boxes("", [star], "", values[0], ""), 0), BAD)
        return ((first + last) / 2 - 10) / HEIGHT

    assert middle([1.0, 10.0, 100.0]) == pytest.approx(0.5, abs=0.02)
    assert middle([1.0, 2.0, 9.0]) > 0.75


def test_a_name_without_values_has_no_box():
    chart = draw_boxes(
        "", [Box("a", [], None, "2 of 2 failed"), Box("b", [2.0], 3.0, "")], "", 1, ""
    )
    assert not any(map(is_blue, column(chart, 0)))
    assert BAD not in column(chart, 0)
    assert any(map(is_blue, column(chart, 1, 20)))
    assert BAD in column(chart, 1)


def test_one_number_alone_is_no_division():
    chart = draw_boxes("nothing yet", [Box("a", [], None, "")], "", 2.0, "reals")
    assert chart.getpixel((0, 0)) == WHITE
    assert COLOURS[0] not in column(chart, 0)
