"""stats.jsonl -> one picture of how a training went."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from PIL import Image

from ganface.io.console import clock
from ganface.pictures.chart import WIDTH, draw_chart
from ganface.pictures.panels import Line, Panel, Span, Tone

# Title, key and name of its lines, limits of the y axis, whether that is logarithmic, and whether
# it is of shares
PanelOf = tuple[str, dict[str, str], tuple[float, float] | None, bool, bool]
SCORE: PanelOf = ("score of G_ema (lower is better)", {"score": "score"}, None, True, False)


def draw_plot(
    lines: Sequence[dict[str, Any]],
    wanted: Sequence[PanelOf],
    width: int = WIDTH,
    title: str = "",
    note: str = "",
) -> Image.Image:
    """The panels in `wanted` of which the lines hold a figure, and their verdicts below.

    Any key but `step` may be missing from a line, or null.
    """
    panels = panels_of(lines, wanted)
    return draw_chart(panels, "updates", spans_of(lines), width, title, note)


def panels_of(lines: Sequence[dict[str, Any]], wanted: Sequence[PanelOf]) -> list[Panel]:
    """Those in `wanted`, and the score's."""
    panels = []
    for title, names, limits, log, shares in (*wanted, SCORE):
        drawn = [
            Line(name, [line["step"] for line in there], [line[key] for line in there])
            for key, name in names.items()
            if (there := [line for line in lines if line.get(key) is not None])
        ]
        panels.append(Panel(title, drawn, limits, log, shares))
    return panels


def tone_of(verdict: str) -> Tone:
    """What a verdict, without its advice, is to whoever reads it."""
    return {"healthy": "good", "too early to tell": "open"}.get(verdict, "bad")  # type: ignore[return-value]


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
        Span(name, step, end, tone_of(name)) for (step, name), end in zip(starts, ends, strict=True)
    ]


def describe_last(lines: Sequence[dict[str, Any]]) -> str:
    """How far a training is, how long that took, and what is said of it: "4,000 updates, 256,000
    images seen, 0:25:10; D overfits"."""
    last = lines[-1]
    parts = [f"{last['step']:,} updates"]
    if last.get("images_seen") is not None:
        parts.append(f"{last['images_seen']:,} images seen")
    if last.get("seconds") is not None:
        parts.append(clock(last["seconds"]))
    verdict = str(last.get("verdict") or "").partition(":")[0]
    return ", ".join(parts) + (f"; now: {verdict}" if verdict else "")
