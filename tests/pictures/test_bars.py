from PIL import ImageColor

from ganface.pictures.bars import HEAD, LENGTH, ROW, Bar, Group, draw_bars
from ganface.pictures.panels import BAD, COLOURS


def length(chart, y):
    return sum(chart.getpixel((x, y)) == COLOURS[0] for x in range(chart.width))


def test_bars_are_as_long_as_their_values_say():
    chart = draw_bars([Group("", [Bar("a", 1.0, ""), Bar("b", 4.0, "")])])
    assert abs(length(chart, HEAD + ROW // 2) - LENGTH / 4) <= 2
    assert abs(length(chart, HEAD + ROW + ROW // 2) - LENGTH) <= 2


def test_a_mark_is_drawn_where_it_lies_on_the_scale_of_its_group():
    groups = [Group("", [Bar("a", 2.0, "2")], mark=4.0, mark_name="reals")]
    chart = draw_bars([*groups, Group("", [Bar("a", 9.0, "9")])])
    marked = [x for x in range(chart.width) if chart.getpixel((x, 40)) == BAD]
    blue = [x for x in range(chart.width) if chart.getpixel((x, 40)) == COLOURS[0]]
    assert abs(marked[0] - blue[0] - LENGTH) <= 2
    assert abs(len(blue) - LENGTH / 2) <= 2


def test_all_zero_is_no_division():
    chart = draw_bars([Group("none", [Bar("a", 0.0, "0")])])
    assert chart.getpixel((0, 0)) == ImageColor.getrgb("white")
