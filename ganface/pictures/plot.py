"""stats.jsonl -> one picture of how a training went."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from PIL import Image

from ganface.pictures.chart import Line, Panel, Span, draw_chart

# Of each panel the title, key and name of its lines, its limits, whether it is logarithmic
PANELS: tuple[tuple[str, dict[str, str], tuple[float, float] | None, bool], ...] = (
    ("losses", {"loss_D": "loss_D", "loss_G": "loss_G"}, None, False),
    ("how real D finds images", {"D_x": "D(x)", "D_Gz": "D(G(z))"}, (0, 1), False),
    (
        "what D gets right",
        {
            "accuracy_real": "of real images",
            "accuracy_fake": "of generated ones",
            "accuracy_held_out": "of real ones held out",
        },
        (0, 1),
        False,
    ),
    ("length of the gradients", {"grad_D": "of D", "grad_G": "of G"}, None, True),
    (
        "how unlike each other faces are",
        {"diversity": "generated", "diversity_reals": "real"},
        None,
        False,
    ),
    ("score of G_ema (lower is better)", {"score": "score"}, None, True),
    ("how often D sees an image changed", {"strength": "strength"}, (0, 1), False),
)
FINE = ("healthy", "too early to tell")  # verdicts that need no reader


def draw_plot(lines: Sequence[dict[str, Any]]) -> Image.Image:
    """A panel for each kind of figure that the lines hold, and their verdicts below.

    Any key but `step` may be missing from a line, or null.
    """
    panels = []
    for title, names, limits, log in PANELS:
        drawn = [
            Line(name, [line["step"] for line in there], [line[key] for line in there])
            for key, name in names.items()
            if (there := [line for line in lines if line.get(key) is not None])
        ]
        panels.append(Panel(title, drawn, limits, log))
    return draw_chart(panels, "steps", spans_of(lines))


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
