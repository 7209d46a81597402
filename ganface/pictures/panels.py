"""What charts show, however they are drawn: lines over an axis, and what held when."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ganface.pictures.scales import label, percent, powers, ticks

Colour = tuple[int, int, int]

# Okabe and Ito's colours, which the colour-blind can tell apart
COLOURS: tuple[Colour, ...] = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
)
GOOD, BAD, OPEN = COLOURS[2], COLOURS[1], (170, 170, 180)

BINS = 260  # a line has so many vertices at most; what lies between shows as a band
FAR = 0.005  # the share of points, at either end, that may lie beyond the y axis
SPANS = 4  # of one name that are written out, at either end

Tone = Literal["good", "open", "bad"]
Runs = list[list[tuple[float, float]]]


@dataclass(frozen=True)
class Line:
    """y over x, of one length, x rising. None and NaN in y are gaps."""

    name: str
    x: Sequence[float]
    y: Sequence[float | None]


@dataclass(frozen=True)
class Panel:
    """Lines that share a y axis. `limits`: its ends; from the lines if not given. shares: whether
    y is to be read in per cent."""

    title: str
    lines: Sequence[Line]
    limits: tuple[float, float] | None = None
    log: bool = False
    shares: bool = False

    @cached_property
    def runs(self) -> list[Runs]:
        """Of each line the points between gaps; of a logarithmic axis the logarithms of y, and
        what has none is a gap."""
        return [_runs(line, self.log) for line in self.lines]

    @cached_property
    def y_limits(self) -> tuple[float, float]:
        """The ends of the y axis, of its logarithm where it is logarithmic."""
        if self.limits:
            return self.limits
        values = sorted(y for runs in self.runs for run in runs for _, y in run)
        far = int(len(values) * FAR)
        low, high = values[far], values[-1 - far]
        room = (high - low) * 0.05 or abs(high) * 0.1 or 1
        return low - room, high + room

    def y_ticks(self) -> list[tuple[float, str]]:
        """Places on that axis, and what stands there."""
        low, high = self.y_limits
        if self.log:
            return [(tick, label(10**tick)) for tick in powers(low, high)]
        name = percent if self.shares else label
        return [(tick, name(tick)) for tick in ticks(low, high, 4)]


@dataclass(frozen=True)
class Span:
    """What held from x = start to end."""

    name: str
    start: float
    end: float
    tone: Tone


def with_points(panels: Sequence[Panel]) -> list[Panel]:
    return [panel for panel in panels if any(panel.runs)]


def x_limits(panels: Sequence[Panel], spans: Sequence[Span]) -> tuple[float, float]:
    ends = [(line.x[0], line.x[-1]) for panel in panels for line in panel.lines if line.x]
    ends += [(span.start, span.end) for span in spans]
    xs = [x for pair in ends for x in pair]
    return (min(xs), max(xs)) if xs else (0.0, 1.0)


def tones(spans: Sequence[Span]) -> dict[str, Colour]:
    """A colour for each name, in the order in which they first come."""
    fixed = {"good": GOOD, "open": OPEN}
    bad = iter((BAD, COLOURS[3], COLOURS[4], COLOURS[0]))
    named = {span.name: span.tone for span in spans}
    return {name: fixed.get(tone) or next(bad, BAD) for name, tone in named.items()}


def describe_spans(spans: Sequence[Span], name: str) -> str:
    """From where to where it held: "1,150 to 1,450; 2,200 to 2,350"."""
    texts = [f"{label(s.start)} to {label(s.end)}" for s in spans if s.name == name]
    if len(texts) > 2 * SPANS:
        texts[SPANS:-SPANS] = [f"… {len(texts) - 2 * SPANS} more …"]
    return "; ".join(texts)


def binned(
    run: Sequence[tuple[float, float]],
    to_x: Callable[[float], float],
    left: float,
    right: float,
    bins: int = BINS,
) -> Iterator[tuple[float, float, float, float]]:
    """At most `bins` of (x on the sheet, mean y, lowest, highest), from left to right."""
    found: dict[int, list[tuple[float, float]]] = {}
    for x, y in run:
        place = to_x(x)
        found.setdefault(int((place - left) / (right - left) * bins), []).append((place, y))
    for points in found.values():
        xs, ys = zip(*points, strict=True)
        yield sum(xs) / len(xs), sum(ys) / len(ys), min(ys), max(ys)


def _runs(line: Line, log: bool) -> Runs:
    runs: Runs = [[]]
    for x, y in zip(line.x, line.y, strict=True):
        if y is None or not math.isfinite(y) or (log and y <= 0):
            runs.append([])
        else:
            runs[-1].append((x, math.log10(y) if log else y))
    return [run for run in runs if run]
