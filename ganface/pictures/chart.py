"""Numbers -> line charts: panels below each other that share the x axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from ganface.pictures.grid import INK, PAPER

# Okabe and Ito's colours, which the colour-blind can tell apart
COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0))
GOOD, BAD = COLOURS[2], COLOURS[1]
FAINT = (226, 226, 232)
FADED = (130, 130, 140)

WIDTH, HEIGHT = 1100, 150  # pixels of the chart, and of each panel
LEFT, RIGHT, HEADER, FOOTER, LINE = 64, 20, 30, 44, 20
STRIP = 14
NAMED = 12  # spans that are named at most
BINS = 260  # a line has so many vertices at most; what lies between shows as a band
ZOOM = 3  # drawn so many times larger, for smooth edges
FAR = 0.005  # the share of points, at either end, that may lie beyond the y axis


@dataclass(frozen=True)
class Line:
    """y over x, of one length, x rising. None and NaN in y are gaps."""

    name: str
    x: Sequence[float]
    y: Sequence[float | None]


@dataclass(frozen=True)
class Panel:
    """Lines that share a y axis. `limits`: its ends; from the lines if not given."""

    title: str
    lines: Sequence[Line]
    limits: tuple[float, float] | None = None
    log: bool = False


@dataclass(frozen=True)
class Span:
    """What held from x = start to end: a bar below the panels. Those not good are named as well,
    the first NAMED of them."""

    name: str
    start: float
    end: float
    good: bool


def draw_chart(
    panels: Sequence[Panel], x_name: str, spans: Sequence[Span] = (), width: int = WIDTH
) -> Image.Image:
    """An RGB image, so many pixels wide. Panels without a point are left out."""
    panels = [panel for panel in panels if any(_runs(line, panel.log) for line in panel.lines)]
    xs = [x for panel in panels for line in panel.lines for x in line.x]
    xs += [x for span in spans for x in (span.start, span.end)]
    x_limits = (min(xs), max(xs)) if xs else (0.0, 1.0)
    names = [
        f"{label(span.start)} to {label(span.end)}: {span.name}" for span in spans if not span.good
    ]
    if len(names) > NAMED:
        names[NAMED:] = [f"and {len(names) - NAMED} more"]
    below = (STRIP + 8 if spans else 0) + FOOTER + LINE * len(names)
    sheet = Image.new(
        "RGB", (width * ZOOM, (len(panels) * (HEADER + HEIGHT) + below) * ZOOM), PAPER
    )
    draw = ImageDraw.Draw(sheet, "RGBA")

    x_ticks = ticks(*x_limits, width // 100)
    left, right = LEFT * ZOOM, (width - RIGHT) * ZOOM
    to_x = scale(x_limits, (left, right))
    top = 0
    for panel in panels:
        box = (left, (top + HEADER) * ZOOM, right, (top + HEADER + HEIGHT) * ZOOM)
        _draw_panel(draw, panel, box, to_x, x_ticks)
        top += HEADER + HEIGHT
    if spans:
        _draw_spans(draw, spans, (top + 6) * ZOOM, to_x)
        top += STRIP + 8
    for tick in x_ticks:
        write(draw, (to_x(tick), (top + 12) * ZOOM), label(tick), FADED, "mm")
    write(draw, ((left + right) / 2, (top + 30) * ZOOM), x_name, INK, "mm")
    for row, name in enumerate(names):
        y = (top + FOOTER + row * LINE) * ZOOM
        write(draw, (left, y + LINE * ZOOM / 2), name, INK, "lm")
    return sheet.reduce(ZOOM)


Box = tuple[float, float, float, float]


def _draw_panel(
    draw: ImageDraw.ImageDraw,
    panel: Panel,
    box: Box,
    to_x: Callable[[float], float],
    x_ticks: Sequence[float],
) -> None:
    left, top, right, bottom = box
    lines = [_runs(line, panel.log) for line in panel.lines]
    low, high = _limits(panel, [y for runs in lines for run in runs for _, y in run])
    to_y = scale((low, high), (bottom, top))
    for x in map(to_x, x_ticks):
        draw.line((x, top, x, bottom), FAINT, ZOOM)
    for tick in powers(low, high) if panel.log else ticks(low, high, 4):
        y = to_y(tick)
        draw.line((left, y, right, y), FAINT, ZOOM)
        name = label(10**tick if panel.log else tick)
        write(draw, (left - 8 * ZOOM, y), name, FADED, "rm")

    write(draw, (left, top - 6 * ZOOM), panel.title, INK, "ls", 13)
    _draw_legend(draw, [line.name for line in panel.lines], right, top - 6 * ZOOM)
    for colour, runs in zip(COLOURS, lines, strict=False):
        for run in runs:
            bins = _binned(run, to_x, left, right)
            points = [tuple((x, min(max(to_y(y), top), bottom)) for y in ys) for x, *ys in bins]
            if len(points) == 1:
                x, y = points[0][0]
                r = 2 * ZOOM
                draw.ellipse((x - r, y - r, x + r, y + r), colour)
                continue
            band = [p[1] for p in points] + [p[2] for p in reversed(points)]
            draw.polygon(band, (*colour, 60))
            draw.line([p[0] for p in points], colour, round(1.6 * ZOOM), joint="curve")


def _draw_legend(
    draw: ImageDraw.ImageDraw, names: Sequence[str], right: float, bottom: float
) -> None:
    """From right to left, the first name leftmost."""
    for colour, name in reversed(list(zip(COLOURS, names, strict=False))):
        write(draw, (right, bottom), name, INK, "rs")  # on one line, with or without descenders
        right -= _font().getlength(name) + 6 * ZOOM
        y = bottom - 4 * ZOOM
        draw.line((right - 18 * ZOOM, y, right, y), colour, 3 * ZOOM)
        right -= 36 * ZOOM


def _draw_spans(
    draw: ImageDraw.ImageDraw, spans: Sequence[Span], top: float, to_x: Callable[[float], float]
) -> None:
    for span in spans:
        left, right = to_x(span.start), to_x(span.end)
        box = (left, top, max(right, left + ZOOM), top + STRIP * ZOOM)
        draw.rectangle(box, GOOD if span.good else BAD)


def write(
    draw: ImageDraw.ImageDraw,
    position: tuple[float, float],
    text: str,
    colour: tuple[int, int, int],
    anchor: str,
    size: int = 12,
) -> None:
    draw.text(position, text, colour, _font(size), anchor=anchor)


def _font(size: int = 12) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * ZOOM)


# ---------------------------------------------------------------------------- scales


def scale(from_: tuple[float, float], to: tuple[float, float]) -> Callable[[float], float]:
    (low, high), (start, end) = from_, to
    factor = (end - start) / (high - low) if high > low else 0
    return lambda value: start + (value - low) * factor


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from low to high, 1, 2 or 5 times a power of ten apart; about `most`."""
    if not low < high:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(s * power for s in (1, 2, 5, 10) if s * power * most >= (high - low) * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def powers(low: float, high: float, fine: float = 2) -> list[float]:
    """The logarithms from low to high of 1, 2 and 5 times powers of ten; of 1 alone, where `fine`
    or more powers lie between."""
    factors = (1, 2, 5) if high - low < fine else (1,)
    exponents = range(math.floor(low), math.ceil(high) + 1)
    logs = [exponent + math.log10(factor) for exponent in exponents for factor in factors]
    return [each for each in logs if low <= each <= high]


def label(value: float) -> str:
    """A number as it stands at an axis: 12,000, 0.25 or 1e-05."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _limits(panel: Panel, values: list[float]) -> tuple[float, float]:
    if panel.limits:
        return panel.limits
    values = sorted(values)
    far = int(len(values) * FAR)
    low, high = values[far], values[-1 - far]
    room = (high - low) * 0.05 or abs(high) * 0.1 or 1
    return low - room, high + room


# ---------------------------------------------------------------------------- lines


def _runs(line: Line, log: bool) -> list[list[tuple[float, float]]]:
    """The points between gaps; with `log`, the logarithms of y, and what has none is a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(line.x, line.y, strict=True):
        if y is None or not math.isfinite(y) or (log and y <= 0):
            runs.append([])
        else:
            runs[-1].append((x, math.log10(y) if log else y))
    return [run for run in runs if run]


def _binned(
    run: list[tuple[float, float]], to_x: Callable[[float], float], left: float, right: float
) -> Iterator[tuple[float, float, float, float]]:
    """At most BINS of (x on the sheet, mean y, lowest, highest), from left to right."""
    bins: dict[int, list[tuple[float, float]]] = {}
    for x, y in run:
        place = to_x(x)
        bins.setdefault(int((place - left) / (right - left) * BINS), []).append((place, y))
    for points in bins.values():
        xs, ys = zip(*points, strict=True)
        yield sum(xs) / len(xs), sum(ys) / len(ys), min(ys), max(ys)
