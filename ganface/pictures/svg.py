"""Panels -> charts that a page draws itself: sharp at any size, in the page's colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from ganface.pictures.panels import (
    COLOURS,
    Panel,
    Span,
    binned,
    describe_spans,
    tones,
    with_points,
    x_limits,
)
from ganface.pictures.scales import label, percent, scale, ticks

WIDTH, HEIGHT = 480, 170  # in the chart's own units, about pixels
LEFT, RIGHT, TOP, BOTTOM = 46, 24, 8, 22
STRIP = 18  # height of the bar of spans
BINS = 160


def charts(panels: Sequence[Panel], spans: Sequence[Span]) -> str:
    """A figure for each panel that has a point. STYLE is theirs."""
    panels = with_points(panels)
    limits = x_limits(panels, spans)
    return "".join(_chart(panel, limits) for panel in panels)


def strip(spans: Sequence[Span]) -> str:
    """A bar of what held when, and a list of what its colours mean."""
    if not spans:
        return ""
    colours = tones(spans)
    to_x = scale(x_limits([], spans), (0, 1000))
    bars = "".join(
        f'<rect x="{to_x(s.start):.1f}" y="0" width="{max(to_x(s.end) - to_x(s.start), 2):.1f}" '
        f'height="{STRIP}" fill="{_hex(colours[s.name])}"/>'
        for s in spans
    )
    rows = "".join(
        f'<li><i style="background: {_hex(colour)}"></i> {escape(name)}: '
        f"{escape(describe_spans(spans, name))}</li>"
        for name, colour in colours.items()
    )
    return (
        f'<figure><svg class="strip" viewBox="0 0 1000 {STRIP}" preserveAspectRatio="none" '
        f'role="img" aria-label="verdicts over time">{bars}</svg>'
        f'<ul class="legend">{rows}</ul></figure>'
    )


def _chart(panel: Panel, limits: tuple[float, float]) -> str:
    left, right, top, bottom = LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM
    to_x = scale(limits, (left, right))
    to_y = scale(panel.y_limits, (bottom, top))
    parts = []
    for tick in ticks(*limits, 4):
        x = to_x(tick)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}V{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 5}">{label(tick)}</text>')
    for tick, name in panel.y_ticks():
        y = to_y(tick)
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{right}"/>')
        parts.append(f'<text class="y" x="{left - 6}" y="{y + 4:.1f}">{name}</text>')
    for number, runs in enumerate(panel.runs[: len(COLOURS)]):
        for run in runs:
            bins = [
                (x, *(min(max(to_y(y), top), bottom) for y in ys))
                for x, *ys in binned(run, to_x, left, right, BINS)
            ]
            if len(bins) == 1:
                x, y = bins[0][:2]
                parts.append(f'<circle class="c{number}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>')
                continue
            band = [(b[0], b[2]) for b in bins] + [(b[0], b[3]) for b in reversed(bins)]
            parts.append(f'<path class="band c{number}" d="M{_points(band)}Z"/>')
            parts.append(f'<path class="c{number}" d="M{_points([b[:2] for b in bins])}"/>')
    keys = "".join(
        f'<span class="key c{number}">{escape(line.name)}{_newest(panel, line.y)}</span>'
        for number, line in enumerate(panel.lines[: len(COLOURS)])
    )
    return (
        f'<figure class="panel"><figcaption><b>{escape(panel.title)}</b>{keys}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(panel.title)}">'
        f"{''.join(parts)}</svg></figure>\n"
    )


def _newest(panel: Panel, values: Sequence[float | None]) -> str:
    there = [value for value in values if value is not None and math.isfinite(value)]
    if not there:
        return ""
    name = percent if panel.shares else label
    return f" <output>{name(float(f'{there[-1]:.3g}'))}</output>"


def _points(points: Sequence[Sequence[float]]) -> str:
    return " ".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _hex(colour: Sequence[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


_LIGHT = "".join(f"--c{number}: {_hex(colour)}; " for number, colour in enumerate(COLOURS))

STYLE = (
    f":root {{ {_LIGHT}}}\n"
    + """
@media (prefers-color-scheme: dark) { :root { --c0: #56b4e9; --c1: #f0803c; --c2: #2ec49a; } }
"""
    + "".join(f".c{number} {{ color: var(--c{number}); }}\n" for number in range(len(COLOURS)))
    + """
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr));
  gap: .5rem 1.5rem; }
.panel { margin: .5rem 0; min-width: 0; }
.panel figcaption { display: flex; flex-wrap: wrap; gap: 0 .9rem; opacity: 1; }
.panel b { font-weight: 600; flex-basis: 100%; }
.key::before { content: ""; display: inline-block; width: 1.1em; height: .22em; margin-right: .4em;
  vertical-align: .25em; background: currentColor; }
.key { white-space: nowrap; } .key output { font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; text-anchor: middle; fill: var(--ink); opacity: .7; }
svg text.y { text-anchor: end; }
svg path { fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linejoin: round;
  stroke-linecap: round; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .band { fill: currentColor; fill-opacity: .2; stroke: none; }
svg circle { fill: currentColor; }
.strip { height: 1.1rem; border-radius: 4px; overflow: hidden; }
.legend { padding: 0; margin: .4rem 0; list-style: none; font-size: .87em; }
.legend i { display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin-right: .2em; }
"""
)
