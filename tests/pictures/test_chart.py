import math

import pytest

from ganface.pictures.chart import (
    BAD,
    COLOURS,
    GOOD,
    NAMED,
    WIDTH,
    Line,
    Panel,
    Span,
    draw_chart,
    powers,
    ticks,
)


def is_blue(pixel):
    """Whether the first line passes here."""
    return sum(abs(a - b) for a, b in zip(pixel, COLOURS[0], strict=True)) < 60


def colours(sheet):
    return {colour for _, colour in sheet.getcolors(2**24)}


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 1, 4, [0, 0.5, 1]),
        (0, 50_000, 10, [i * 5000 for i in range(11)]),
        (-3, 3, 6, [-3, -2, -1, 0, 1, 2, 3]),
        (7, 7, 4, [7]),
    ],
)
def test_ticks_are_round_numbers_within_the_axis(low, high, most, expected):
    assert ticks(low, high, most) == pytest.approx(expected)


def test_a_logarithmic_axis_has_round_numbers_too():
    assert [10**x for x in powers(math.log10(8), math.log10(60))] == pytest.approx([10, 20, 50])
    assert [10**x for x in powers(-3, 2)] == pytest.approx([1e-3, 1e-2, 0.1, 1, 10, 100])


def test_a_line_is_drawn_where_its_values_are_and_gaps_are_left():
    xs, ys = list(range(100)), [0.2] * 50 + [0.8] * 50
    sheet = draw_chart([Panel("p", [Line("a", xs, ys)], (0, 1))], "x")
    assert sheet.width == WIDTH
    places = [
        (x, y)
        for x in range(70, WIDTH - 20)
        for y in range(32, sheet.height - 60)
        if is_blue(sheet.getpixel((x, y)))
    ]
    left, right = [y for x, y in places if x < 500], [y for x, y in places if x > 650]
    assert min(left) > max(right)  # y grows downwards

    gap = [*ys[:40], *[None, math.nan] * 10, *ys[60:]]
    gapped = draw_chart([Panel("p", [Line("a", xs, gap)], (0, 1))], "x")
    middle = range(WIDTH // 2 - 20, WIDTH // 2 + 20)
    assert not any(
        is_blue(gapped.getpixel((x, y))) for x in middle for y in range(32, sheet.height - 60)
    )


def test_panels_without_a_point_are_left_out_and_none_at_all_is_no_error():
    full, empty = Panel("a", [Line("a", [1, 2], [1, 2])]), Panel("b", [Line("b", [1], [None])])
    assert draw_chart([full, empty], "x").size == draw_chart([full], "x").size
    draw_chart([], "x")
    draw_chart([Panel("log", [Line("a", [1, 2, 3], [0, -1, 5])], log=True)], "x")


def test_spans_are_green_or_named():
    good, bad = Span("fine", 0, 5, True), Span("dead", 5, 9, False)
    panel = Panel("a", [Line("a", [0, 9], [1, 2])])
    assert GOOD in colours(draw_chart([panel], "x", [good]))
    both = draw_chart([panel], "x", [good, bad])
    assert {GOOD, BAD} <= colours(both)
    assert both.height > draw_chart([panel], "x", [good]).height
    many = draw_chart([panel], "x", [bad] * (NAMED + 1))
    assert draw_chart([panel], "x", [bad] * 1000).height == many.height > both.height
