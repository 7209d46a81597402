"""The figures as a table, and what each is called."""

from __future__ import annotations

from typing import Any

import torch
from rich.table import Table

from ganface import __version__
from ganface.dataset.pack import Pack
from ganface.evaluation.evaluate import Figures
from ganface.evaluation.features import NAME
from ganface.evaluation.images import SPLIT_SEED

TITLES = {
    "frechet": ("Fréchet distance, random features", "lower"),
    "swd": ("sliced Wasserstein distance", "lower"),
    "density": ("density", "near 1"),
    "coverage": ("coverage", "higher"),
    "diversity": ("diversity", "near 1"),
    "memorised": ("nearer to a training image than 95 % of those", "5 % or less"),
}


def describe_protocol(reals: Pack, count: int, device: torch.device) -> dict[str, Any]:
    """All that has to be equal for figures to be compared."""
    return {
        "count": count,
        "size": reals.size,
        "reals": {"fingerprint": reals.fingerprint, "images": len(reals), "split_seed": SPLIT_SEED},
        "features": NAME,
        "device": device.type,
        "versions": {"ganface": __version__, "torch": torch.__version__},
    }


def figures_table(columns: dict[str, Figures], floors: Figures) -> Table:
    """A row for each figure: its title, its value in each of `columns`, its floor, what is good."""
    sheet = Table("", *columns, "reals", "good is", box=None, pad_edge=False)
    for column in sheet.columns[1:-1]:
        column.justify = "right"
    for name, floor in floors.items():
        title, good = describe_figure(name)
        values = [figures[name] for figures in columns.values()]
        sheet.add_row(title, *(format_figure(name, value) for value in (*values, floor)), good)
    return sheet


def describe_figure(name: str) -> tuple[str, str]:
    """Its title, and which way is better."""
    if name.startswith("swd_"):
        side = name.removeprefix("swd_")
        return f"  at {side} × {side}", "lower"
    return TITLES[name]


def format_figure(name: str, value: float) -> str:
    if name == "memorised":
        return f"{value:.1%}".replace("%", " %")
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"
