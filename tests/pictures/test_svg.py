"""Charts in a page's own colours: what is drawn lies within the frame, and texts are no markup."""

import re
from xml.etree import ElementTree

import pytest

from ganface.pictures.panels import Line, Panel, Span
from ganface.pictures.svg import HEIGHT, STRIP, WIDTH, charts, strip

TEXT = "<b>&"


def parsed(html):
    return ElementTree.fromstring(f"<div>{html}</div>")


def places(svg):
    """All points of the lines and bands."""
    for path in svg.iter("path"):
        if path.get("class") != "grid":
            numbers = [float(n) for n in re.findall(r"-?[\d.]+", path.get("d"))]
            yield from zip(numbers[::2], numbers[1::2], strict=True)


def test_a_figure_for_each_panel_that_has_a_point():
    x = range(0, 1000, 10)
    panels = [
        Panel(TEXT, [Line(TEXT, x, [i % 7 for i in x]), Line("b", x, [None] * 100)]),
        Panel("empty", [Line("a", x, [None] * 100)]),
        Panel("log", [Line("a", x, [10.0**i for i in range(100)])], log=True),
        Panel("far", [Line("a", x, [1e9, *range(99)])], (0, 1)),
    ]
    figures = list(parsed(charts(panels, [])))
    assert [figure.find("figcaption/b").text for figure in figures] == [TEXT, "log", "far"]
    for figure in figures:
        found = list(places(figure))
        assert len(found) > 100
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in found)


def test_higher_values_lie_higher_and_the_newest_is_told():
    (figure,) = parsed(charts([Panel("a", [Line("rise", [0, 1], [0.25, 0.75])], (0, 1))], []))
    (_, first), (_, last) = list(places(figure))[-2:]
    assert first > last  # y grows downwards
    assert figure.find("figcaption/span/output").text == "0.75"


def test_shares_are_in_per_cent():
    text = charts([Panel("a", [Line("rise", [0, 1], [0.25, 0.752])], (0, 1), shares=True)], [])
    assert "75.2 %</output>" in text
    assert ">50 %</text>" in text


def test_a_single_point_is_a_dot():
    (figure,) = parsed(charts([Panel("a", [Line("a", [5], [0.5])])], []))
    assert len(list(figure.iter("circle"))) == 1


def test_the_bar_of_verdicts_is_as_long_as_they_held_and_names_them():
    spans = [Span("good", 0, 30, "good"), Span(TEXT, 30, 40, "bad")]
    figure = parsed(strip(spans))
    widths = [float(rect.get("width")) for rect in figure.iter("rect")]
    assert widths == pytest.approx([750, 250], abs=0.2)
    assert {rect.get("height") for rect in figure.iter("rect")} == {str(STRIP)}
    names = ["".join(row.itertext()).strip() for row in figure.iter("li")]
    assert names == ["good: 0 to 30", f"{TEXT}: 30 to 40"]
    assert strip([]) == ""
