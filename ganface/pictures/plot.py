"""stats.jsonl -> one picture of how a training went."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from PIL import Image

from ganface.pictures.chart import WIDTH, Line, Panel, Span, draw_chart

FINE = ("healthy", "too early to tell")  # verdicts that need no reader


# Title, key and name of its lines, limits of the y axis, whether that is logarithmic
PanelOf = tuple[str, dict[str, str], tuple[float, float] | None, bool]
SCORE: PanelOf = ("score of G_ema (lower is better)", {"score": "score"}, None, True)


def draw_plot(
    lines: Sequence[dict[str, Any]], wanted: Sequence[PanelOf], width: int = WIDTH
) -> Image.Image:
    """The panels in `wanted` of which the lines hold a figure, and their verdicts below.

    Any key but `step` may be missing from a line, or null.
    """
    panels = []
    for title, names, limits, log in (*wanted, SCORE):
        drawn = [
            Line(name, [line["step"] for line in there], [line[key] for line in there])
            for key, name in names.items()
            if (there := [line for line in lines if line.get(key) is not None])
        ]
        panels.append(Panel(title, drawn, limits, log))
    return draw_chart(panels, "steps", spans_of(lines), width)


def spans_of(lines: Sequence[dict[str, Any]]) -> list[Span]:
    """From where on each verdict held until the next one, without what it advises."""
    judged = [
        (line["step"], str(line["verdict"]).partition(":")[0])
        for line in lines
        if line.get("verdict") is not None
    ]
    starts = [next(group) for _, group in groupby(judged, key=lambda pair: pair[1])]
    ends = [step for step, _ in [*starts[1:], *judged[-1:]]]
    return [
        Span(name, step, end, name in FINE) for (step, name), end in zip(starts, ends, strict=True)
    ]
