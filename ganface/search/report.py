"""What a search came to: a summary of each kind, as a table and as boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from PIL import Image
from rich.table import Table

from ganface.evaluation.evaluate import Figures
from ganface.evaluation.report import format_figure
from ganface.pictures.boxes import Box, draw_boxes
from ganface.search.draws import DEFAULT, KINDS, Draw


@dataclass(frozen=True)
class Result(Draw):
    """What a draw's training came to."""

    figures: Figures | None  # None: it failed
    failed: str | None  # why
    verdict: str | None  # the last one


def summarise(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """Of each kind the Fréchet distances of its draws, in order, and of its defaults.

    `failed` is how many of the `draws` have none. What there is nothing for is None.
    """
    summary = {}
    for kind in KINDS:
        ours = sorted((each for each in results if each.kind == kind), key=lambda r: r.number)
        drawn = [each.figures for each in ours if each.number != DEFAULT]
        default = [each.figures for each in ours if each.number == DEFAULT and each.figures]
        values = [figures["frechet"] for figures in drawn if figures]
        summary[kind] = {
            "best": min(values, default=None),
            "median": median(values) if values else None,
            "worst": max(values, default=None),
            "default": default[0]["frechet"] if default else None,
            "failed": len(drawn) - len(values),
            "draws": len(drawn),
            "frechet": values,
        }
    return summary


def summary_table(summary: dict[str, dict[str, Any]]) -> Table:
    columns = ("best", "median", "worst", "default")
    sheet = Table("Fréchet distance", *columns, "failed", box=None, pad_edge=False)
    for column in sheet.columns[1:]:
        column.justify = "right"
    for kind, each in summary.items():
        values = [each[name] for name in columns]
        shown = ["none" if value is None else format_figure("frechet", value) for value in values]
        sheet.add_row(kind, *shown, _failed(each))
    return sheet


def draw_spread(summary: dict[str, dict[str, Any]], floor: float, budget: int) -> Image.Image:
    """A box for each kind. `floor`: what reals come to."""
    boxes = [
        Box(kind, each["frechet"], each["default"], f"{_failed(each)} failed")
        for kind, each in summary.items()
    ]
    title = f"Fréchet distance after {budget:,} updates, settings drawn by chance (lower is better)"
    return draw_boxes(title, boxes, "default settings", floor, "reals")


def _failed(each: dict[str, Any]) -> str:
    return f"{each['failed']} of {each['draws']}"
