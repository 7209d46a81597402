"""The figures as a table, and what each is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from PIL import Image
from rich.table import Table

from ganface import __version__
from ganface.dataset.pack import Pack
from ganface.evaluation.drawn import SPLIT_SEED
from ganface.evaluation.evaluate import Figures
from ganface.evaluation.fidelity import describe_inception
from ganface.io.console import as_text
from ganface.models.features import NAME
from ganface.pictures.bars import Bar, Group, draw_bars
from ganface.pictures.chart import draw_chart
from ganface.pictures.grid import drawable
from ganface.pictures.panels import Line, Panel

TITLES = {
    "frechet": ("Fréchet distance, random features", "lower"),
    "swd": ("sliced Wasserstein distance", "lower"),
    "density": ("density", "near 1"),
    "coverage": ("coverage", "higher"),
    "diversity": ("diversity", "near 1"),
    "sharpness": ("sharpness: power of fine detail", "near 1"),
    "diversity_within": ("diversity within a label", "near 1"),
    "memorised": ("nearer to a training image than 95 % of those", "5 % or less"),
    "fid": ("FID", "lower"),
    "kid": ("KID × 1,000", "lower"),
    "precision": ("precision", "higher"),
    "recall": ("recall", "higher"),
    "fid_all": ("FID, all reals", "lower"),
}
SHORT = {  # where each has a column
    "frechet": "Fréchet",
    "swd": "SWD",
    "diversity_within": "in label",
    "memorised": "near",
    "fid": "FID",
    "kid": "KID",
    "fid_all": "FID, all",
}
WIDE = 80  # columns of a terminal
SHARES = ("coverage", "memorised", "precision", "recall")  # people read them in per cent
NOTE = "samples beside what real images come to, one half of them against the other"


def describe_protocol(
    reals: Pack, count: int, samples: int, device: torch.device, weights: Path | None
) -> dict[str, Any]:
    """All that has to be equal for figures to be compared."""
    return {
        "count": count,
        "samples": samples,
        "size": reals.size,
        "reals": {"fingerprint": reals.fingerprint, "images": len(reals), "split_seed": SPLIT_SEED},
        "features": NAME,
        "inception": describe_inception(weights) if weights else None,
        "device": device.type,
        "versions": {"ganface": __version__, "torch": torch.__version__},
    }


def figures_table(corner: str, columns: dict[str, Figures], floors: Figures) -> Table:
    """A row for each figure: its title, its value in each of `columns`, its floor, what is good."""
    sheet = Table(corner, *columns, "reals", "good is", box=None, pad_edge=False)
    for column in sheet.columns[1:-1]:
        column.justify = "right"
    for name in dict.fromkeys(name for figures in columns.values() for name in figures):
        title, good = describe_figure(name)
        values = [
            format_figure(name, figures[name]) if name in figures else ""
            for figures in columns.values()
        ]
        floor = format_figure(name, floors[name]) if name in floors else ""
        sheet.add_row(title, *values, floor, good)
    return sheet


def steps_table(corner: str, columns: dict[str, Figures], floors: Figures) -> str:
    """A row for each of `columns`, such as steps, with the reals' and what is good below; in as
    many tables below each other as it takes to stay within WIDE. At the end, what names stand for.
    """
    names = dict.fromkeys(name for figures in columns.values() for name in figures)
    shown = [name for name in names if not name.startswith("swd_")]
    first = max(map(len, [corner, "good is", *columns]))
    blocks: list[list[str]] = []
    room = 0
    for name in shown:
        longest = "100.0 %" if is_share(name) else "100.0"
        wide = 2 + max(map(len, [_short(name), _good(name), longest]))
        if room < wide:
            blocks.append([])
            room = WIDE - first
        blocks[-1].append(name)
        room -= wide
    parts = []
    for block in blocks:
        sheet = Table(corner, *map(_short, block), box=None, pad_edge=False)
        for column in sheet.columns[1:]:
            column.justify = "right"
        for row, figures in {**columns, "reals": floors}.items():
            values = [format_figure(n, figures[n]) if n in figures else "" for n in block]
            sheet.add_row(row, *values)
        sheet.add_row("good is", *map(_good, block))
        parts.append(as_text(sheet))
    told = [name for name in shown if _short(name) != describe_figure(name)[0].partition(":")[0]]
    key = [f"{_short(name)}: {describe_figure(name)[0]}" for name in told if name in TITLES]
    return "\n\n".join([*parts, "\n".join(key)])


def _short(name: str) -> str:
    return name.removeprefix("accuracy_") if name.startswith("accuracy_") else SHORT.get(name, name)


def _good(name: str) -> str:
    return describe_figure(name)[1].replace("5 % or less", "≤ 5 %")


def draw_figures(steps: dict[int, Figures], floors: Figures) -> Image.Image:
    """A chart of the figures over the steps, each beside its floor."""
    panels = []
    for name, (title, good) in TITLES.items():
        if not all(name in figures for figures in steps.values()):
            continue
        lines = [Line("samples", [*steps], [figures[name] for figures in steps.values()])]
        if name in floors:
            lines.append(Line("reals", [*steps], [floors[name]] * len(steps)))
        shares, log = name in SHARES, good == "lower"
        panels.append(Panel(f"{title} (good is {good})", lines, log=log, shares=shares))
    return draw_chart(panels, "updates", title="How good the faces are", note=NOTE)


def draw_columns(columns: dict[str, Figures], floors: Figures) -> Image.Image:
    """A chart of the same figures of several models, each beside its floor."""
    groups, names = [], drawable([*columns])
    for name, (title, good) in TITLES.items():
        if not all(name in figures for figures in columns.values()):
            continue
        values = [figures[name] for figures in columns.values()]
        bars = [  # KID may be a little below 0
            Bar(shown, max(value, 0.0), format_figure(name, value))
            for shown, value in zip(names, values, strict=True)
        ]
        floor = floors.get(name)
        mark = None if floor is None else max(floor, 0.0)
        mark_name = "" if floor is None else f"reals: {format_figure(name, floor)}"
        title = f"{title} (good is {good})"
        groups.append(Group(title, bars, mark, mark_name))
    return draw_bars(groups)


def describe_figure(name: str) -> tuple[str, str]:
    """Its title, and which way is better."""
    if name.startswith("swd_"):
        side = name.removeprefix("swd_")
        return f"  of details at {side} × {side}", "lower"
    if name.startswith("accuracy_"):
        return f"{name.removeprefix('accuracy_')}: as asked for, by a classifier", "as reals"
    return TITLES[name]


def is_share(name: str) -> bool:
    return name in SHARES or name.startswith("accuracy_")


def format_figure(name: str, value: float) -> str:
    if is_share(name):
        return f"{100 * value:.1f} %"
    if name == "kid":
        value *= 1000
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
