"""Paired measurements: what was measured in turns, its ratios, its targets, and the table of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

from rich.box import SIMPLE_HEAD
from rich.table import Table

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """What a ratio must reach, and what it should; or must stay under, where `at_most`."""

    must: float
    aim: float
    at_most: bool = False

    def verdict(self, value: float) -> str:
        def reached(bound: float) -> bool:
            return value <= bound if self.at_most else value >= bound

        return "aim" if reached(self.aim) else "must" if reached(self.must) else "missed"

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        return f"{sign} {self.must:g}\n{sign} {self.aim:g}"


@dataclass(frozen=True)
class Row:
    """One line of the table: the n-th figure of `ganface` was taken beside the n-th `reference`.

    Without any `reference` the target is one for ganface's own figures. Without any figures the row
    could not be measured, and `note` says why.
    """

    name: str
    unit: str
    ganface: Sequence[float] = ()
    reference: Sequence[float] = ()
    target: Target | None = None
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """ganface over reference, pair by pair; empty if there is no reference."""
        if not self.reference:
            return []
        return [ours / theirs for ours, theirs in zip(self.ganface, self.reference, strict=True)]

    @property
    def verdict(self) -> str:
        """ "aim", "must" or "missed" for the median; empty if nothing is demanded or measured."""
        values = self.ratios or self.ganface
        return self.target.verdict(median(values)) if self.target and values else ""

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "ganface": summary(self.ganface),
            "reference": summary(self.reference),
            "ratio": summary(self.ratios),
            "target": self.target and vars(self.target),
            "verdict": self.verdict or None,
            "pairs": len(self.ganface),
            "note": self.note,
        }


def in_turns(pairs: int, ours: Callable[[], T], theirs: Callable[[], T]) -> tuple[list[T], list[T]]:
    """Measure ours, theirs, ours, theirs …, so that what slows the machine down meets both."""
    measured = [(ours(), theirs()) for _ in range(pairs)]
    return [a for a, _ in measured], [b for _, b in measured]


def summary(values: Sequence[float]) -> dict[str, Any] | None:
    if not values:
        return None
    return {"median": median(values), "min": min(values), "max": max(values), "all": list(values)}


def show(values: Sequence[float]) -> str:
    """The median and, if there are more, the least and the greatest below it; or nothing."""
    if len(values) < 2:
        return "".join(map(figure, values))
    return f"{figure(median(values))}\n{figure(min(values))}–{figure(max(values))}"


def figure(value: float) -> str:
    """Three digits, or as many as stand before the point."""
    decimals = next((n for n, bound in enumerate((100, 10, 1)) if abs(value) >= bound), 3)
    return f"{value:,.{decimals}f}"


def as_table(rows: Sequence[Row], caption: str) -> Table:
    table = Table(box=SIMPLE_HEAD, caption=caption, pad_edge=False)
    table.add_column("")
    for head in ("ganface", "reference", "ratio", "must\naim", "met", "pairs"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            f"{row.name}, {row.unit}",
            show(row.ganface),
            show(row.reference),
            show(row.ratios),
            str(row.target or ""),
            row.verdict,
            str(len(row.ganface)),
        )
    return table
