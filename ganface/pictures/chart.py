"""Panels -> a picture of line charts below each other that share the x axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw

from ganface.pictures.grid import INK, PAPER
from ganface.pictures.panels import (
    COLOURS,
    Colour,
    Panel,
    Span,
    binned,
    describe_spans,
    tones,
    with_points,
    x_limits,
)
from ganface.pictures.scales import label, scale, ticks
from ganface.pictures.text import ZOOM, length, write

FAINT = (226, 226, 232)
FADED = (130, 130, 140)

WIDTH, HEIGHT = 1100, 150  # pixels of the chart, and of each panel
LEFT, RIGHT, HEADER, FOOTER, LINE = 64, 20, 28, 44, 20
PAD = 8  # below a panel: its lowest number stands half below
TITLE = 54  # of the title with what stands below it
STRIP = 16  # of the bar of spans
STROKE = 7  # a line's width in pixels of the zoomed sheet


def draw_chart(
    panels: Sequence[Panel],
    x_name: str,
    spans: Sequence[Span] = (),
    width: int = WIDTH,
    title: str = "",
    note: str = "",
    spans_name: str = "verdict",
) -> Image.Image:
    """An RGB image, so many pixels wide. Panels without a point are left out.

    title, note: above all, the note smaller. spans: a bar below the panels, with a legend; those
    that are bad are named with where they held.
    """
    panels = with_points(panels)
    limits = x_limits(panels, spans)
    x_ticks = ticks(*limits, width // 100)
    left, right = LEFT, width - RIGHT
    to_x = scale(limits, (left * ZOOM, right * ZOOM))
    parts = []
    if title:
        parts.append(_draw_title(width, title, note))
    parts += [_draw_panel(width, panel, to_x, x_ticks) for panel in panels]
    if spans:
        parts.append(_draw_spans(width, spans, spans_name, to_x))
    parts.append(_draw_axis(width, x_name, to_x, x_ticks))
    if any(span.tone == "bad" for span in spans):
        parts.append(_draw_names(width, spans))
    sheet = Image.new("RGB", (width, sum(part.height for part in parts)), PAPER)
    top = 0
    for part in parts:  # each is drawn on its own: the whole, zoomed, would take much memory
        sheet.paste(part, (0, top))
        top += part.height
    return sheet


def _blank(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width * ZOOM, height * ZOOM), PAPER)
    return image, ImageDraw.Draw(image, "RGBA")


def _draw_title(width: int, title: str, note: str) -> Image.Image:
    image, draw = _blank(width, TITLE)
    write(draw, (LEFT * ZOOM, 24 * ZOOM), title, INK, "ls", 18)
    write(draw, (LEFT * ZOOM, 44 * ZOOM), note, FADED, "ls", 13)
    return image.reduce(ZOOM)


def _draw_panel(
    width: int, panel: Panel, to_x: Callable[[float], float], x_ticks: Sequence[float]
) -> Image.Image:
    image, draw = _blank(width, HEADER + HEIGHT + PAD)
    left, right = LEFT * ZOOM, (width - RIGHT) * ZOOM
    top, bottom = HEADER * ZOOM, (HEADER + HEIGHT - 1) * ZOOM
    to_y = scale(panel.y_limits, (bottom, top))
    for x in map(to_x, x_ticks):
        draw.rectangle((_whole(x), top, _whole(x) + ZOOM - 1, bottom + ZOOM - 1), FAINT)
    for tick, name in panel.y_ticks():
        y = _whole(to_y(tick))
        draw.rectangle((left, y, right - 1, y + ZOOM - 1), FAINT)
        write(draw, (left - 8 * ZOOM, y + ZOOM / 2), name, FADED, "rm")

    write(draw, (left, top - 8 * ZOOM), panel.title, INK, "ls", 13)
    names = [line.name for line in panel.lines]
    _draw_legend(draw, dict(zip(names, COLOURS, strict=False)), width - RIGHT, HEADER - 8)
    for colour, runs in zip(COLOURS, panel.runs, strict=False):
        for run in runs:
            bins = binned(run, to_x, left, right)
            points = [tuple((x, min(max(to_y(y), top), bottom)) for y in ys) for x, *ys in bins]
            if len(points) == 1:
                _draw_dot(draw, points[0][0], 2 * ZOOM, colour)
                continue
            band = [p[1] for p in points] + [p[2] for p in reversed(points)]
            draw.polygon(band, (*colour, 60))
            _draw_line(draw, [p[0] for p in points], colour)
    return image.reduce(ZOOM)


def _draw_line(
    draw: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], colour: Colour
) -> None:
    """As wide everywhere, round at its ends."""
    draw.line(points, colour, STROKE, joint="curve")
    for point in (points[0], points[-1]):
        _draw_dot(draw, point, STROKE / 2, colour)


def _draw_dot(
    draw: ImageDraw.ImageDraw, middle: tuple[float, float], radius: float, colour: Colour
) -> None:
    x, y = middle
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)


def _draw_legend(
    draw: ImageDraw.ImageDraw, colours: dict[str, Colour], right: float, bottom: float
) -> None:
    """From right to left, the first name leftmost."""
    for name, colour in reversed(colours.items()):
        # On one line, with or without descenders
        write(draw, (right * ZOOM, bottom * ZOOM), name, INK, "rs")
        right -= length(name) + 6
        box = (right - 18, bottom - 6, right, bottom - 3)
        draw.rectangle([round(side) * ZOOM for side in box], colour)
        right -= 36


def _draw_spans(
    width: int, spans: Sequence[Span], title: str, to_x: Callable[[float], float]
) -> Image.Image:
    image, draw = _blank(width, HEADER + STRIP)
    colours = tones(spans)
    write(draw, (LEFT * ZOOM, (HEADER - 8) * ZOOM), title, INK, "ls", 13)
    shown = {s.name: colours[s.name] for s in spans if s.tone != "bad"}
    shown |= {s.name: colours[s.name] for s in spans if s.tone == "bad"}
    names = [*shown]
    while names and sum(length(name) + 42 for name in names) > width - LEFT - RIGHT - 80:
        names.pop()  # those are below, with where they held
    _draw_legend(draw, {name: shown[name] for name in names}, width - RIGHT, HEADER - 8)
    for span in spans:
        left, right = to_x(span.start), max(to_x(span.end), to_x(span.start) + ZOOM)
        box = (left, HEADER * ZOOM, right, (HEADER + STRIP) * ZOOM - 1)
        draw.rectangle(box, colours[span.name])
    return image.reduce(ZOOM)


def _draw_axis(
    width: int, name: str, to_x: Callable[[float], float], x_ticks: Sequence[float]
) -> Image.Image:
    image, draw = _blank(width, FOOTER)
    for tick in x_ticks:
        write(draw, (to_x(tick), 14 * ZOOM), label(tick), FADED, "mm")
    middle = (LEFT + width - RIGHT) / 2
    write(draw, (middle * ZOOM, 32 * ZOOM), name, INK, "mm")
    return image.reduce(ZOOM)


def _draw_names(width: int, spans: Sequence[Span]) -> Image.Image:
    """The bad ones, and where they held."""
    colours = tones(spans)
    names = list(dict.fromkeys(span.name for span in spans if span.tone == "bad"))
    image, draw = _blank(width, LINE * len(names) + 10)
    for row, name in enumerate(names):
        y = row * LINE + LINE // 2
        box = (LEFT, y - 5, LEFT + 10, y + 5)
        draw.rectangle([side * ZOOM for side in box], colours[name])
        text = f"{name}: {describe_spans(spans, name)}"
        if length(text) > width - LEFT - RIGHT - 16:
            text = f"{name}: {sum(s.name == name for s in spans)} times"
        write(draw, ((LEFT + 18) * ZOOM, y * ZOOM), text, INK, "lm")
    return image.reduce(ZOOM)


def _whole(place: float) -> int:
    """The pixel of the chart in which it lies, on the zoomed sheet: lines there are sharp."""
    return int(place / ZOOM) * ZOOM
