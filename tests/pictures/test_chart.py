import math

import pytest

from ganface.pictures.chart import FAINT, WIDTH, draw_chart
from ganface.pictures.panels import BAD, COLOURS, GOOD, Line, Panel, Span, describe_spans
from ganface.pictures.scales import powers, ticks


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
    assert [10**x for x in powers(-9, 2)] == pytest.approx([10.0**x for x in range(-9, 3)])


@pytest.mark.parametrize(("low", "high"), [(12, 26), (0.97, 1.02), (3, 300), (1e-4, 5e-4), (7, 9)])
def test_a_logarithmic_axis_has_three_numbers_at_least(low, high):
    found = powers(math.log10(low), math.log10(high))
    assert 3 <= len(found) <= 7
    assert all(low <= 10**x <= high * (1 + 1e-9) for x in found)


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


def test_spans_have_colours_and_bad_ones_are_named():
    good, bad = Span("fine", 0, 5, "good"), Span("dead", 5, 9, "bad")
    panel = Panel("a", [Line("a", [0, 9], [1, 2])])
    assert GOOD in colours(draw_chart([panel], "x", [good]))
    both = draw_chart([panel], "x", [good, bad])
    assert {GOOD, BAD} <= colours(both)
    assert both.height > draw_chart([panel], "x", [good]).height
    again = draw_chart([panel], "x", [good, bad] * 1000)
    assert again.height == both.height  # one row for all of a name
    other = Span("blind", 9, 10, "bad")
    assert draw_chart([panel], "x", [good, bad, other]).height > both.height


def test_spans_of_one_name_are_told_together_and_not_all_of_many():
    spans = [Span("a", 10 * i, 10 * i + 5, "bad") for i in range(2)]
    assert describe_spans([*spans, Span("b", 0, 9, "bad")], "a") == "0 to 5; 10 to 15"
    many = [Span("a", i, i, "bad") for i in range(1000)]
    assert "… 992 more …" in describe_spans(many, "a")


def test_a_title_stands_above_all():
    panel = Panel("a", [Line("a", [0, 9], [1, 2])])
    plain, titled = (draw_chart([panel], "x", title=text) for text in ("", "runs/é"))
    above = titled.height - plain.height
    assert titled.crop((0, above, *titled.size)).tobytes() == plain.tobytes()
    assert titled.crop((0, 0, titled.width, above)).getextrema() != ((255, 255),) * 3


def test_lines_of_the_grid_are_one_sharp_pixel():
    panel = Panel("a", [Line("a", [0, 900], [0.01, 0.02])], (0, 1))
    sheet = draw_chart([panel], "x")
    column = [sheet.getpixel((WIDTH - 40, y)) for y in range(28, 100)]
    assert set(column) == {(255, 255, 255), FAINT}


def test_a_line_is_as_thick_wherever_it_lies():
    """A level line at any height: as much ink, and spread over the same few pixels."""
    inks = []
    for number in range(20):
        panel = Panel("a", [Line("a", [0, 9], [0.5 + number / 1000] * 2)], (0, 1))
        sheet = draw_chart([panel], "x")
        column = [sheet.getpixel((333, y)) for y in range(90, 130)]
        inks.append(sum(255 - red for red, _, _ in column if red < FAINT[0]))
    assert max(inks) - min(inks) < 0.25 * min(inks)


def test_shares_are_in_per_cent():
    shares, numbers = (Panel("a", [Line("a", [0], [1])], (0, 1), shares=s) for s in (True, False))
    assert [name for _, name in shares.y_ticks()] == ["0 %", "50 %", "100 %"]
    assert [name for _, name in numbers.y_ticks()] == ["0", "0.5", "1"]
