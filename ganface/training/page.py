"""A run directory -> one page about the training, which reloads itself while that goes on.

Pictures are inside the page: it never shows a curve beside the grid of another step, and whoever is
sent the one file sees all of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from ganface.errors import UserError
from ganface.io.console import clock
from ganface.io.folders import name_of
from ganface.io.html import embedded, write_html
from ganface.io.run import Run, read_config
from ganface.io.stats import read_lines
from ganface.methods.registry import method_of
from ganface.methods.verdict import EARLY, with_figures
from ganface.pictures.plot import panels_of, spans_of, tone_of
from ganface.pictures.svg import STYLE as CHARTS
from ganface.pictures.svg import charts, strip
from ganface.training.config import TrainConfig

REFRESH = 5  # seconds between two looks of a browser
RECENT = 50  # lines whose speed says how long the rest takes
SHARE = 0.01  # of a training's time may be spent on its page
SHOWN_WIDTH = 520  # CSS pixels to which a small grid is brought near


class RunPage:
    """Keeps the page of a training up to date."""

    def __init__(self, run: Run) -> None:
        """Write it. Raises CannotWriteError, as all others do."""
        self._run = run
        self._next = 0.0
        self.tick()

    def tick(self, line: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Write the page, if that is due: every REFRESH seconds, or, where the page of a long
        training takes long to write, so seldom that it takes no more than SHARE of the time."""
        began = time.monotonic()
        if began >= self._next:
            write_page(self._run, running=True)
            now = time.monotonic()
            self._next = now + max(REFRESH, (now - began) / SHARE)

    def milestone(self, step: int, picture: Path) -> None:
        """Nothing: the next tick shows it."""

    def close(self) -> None:
        """Write it for the last time."""
        write_page(self._run, running=False)


def write_page(run: Run, running: bool) -> None:
    """Write the page of what the run directory holds now. Raises CannotWriteError.

    running: whether a process trains there. If not, the page stays as it is.
    """
    lines = _lines(run)
    config = _config(run)
    course = _Course(run, lines, config, running)
    shown = panels_of(lines, method_of(lines).panels) if lines else []
    spans = spans_of(lines)
    curves = f'<div class="panels">{charts(shown, spans)}</div>' if shown else NO_LINES
    newest = _picture(run.latest, NO_PICTURE)
    timeline = _picture(run.timeline, NO_TIMELINE, wide=True)
    body = (
        f'<header data-written="{time.time():.0f}">{course.head()}</header>\n<main>\n'
        f'<div class="pictures">{_section("Newest faces", newest)}'
        f"{_section('The same faces at every milestone', timeline)}</div>"
        f"{_section('Verdicts', strip(spans) or NO_LINES)}"
        f"{_section('Curves, over updates', curves)}"
        f"{_settings(config)}</main>\n{course.foot()}"
    )
    refresh = f'<meta http-equiv="refresh" content="{REFRESH}">\n' if running else ""
    script = (LATE if running else "") + UNFOLD
    write_html(run.page, course.title(), body, CHARTS + STYLE, script, refresh, durable=False)


class _Course:
    """How far a training is, in words."""

    def __init__(
        self,
        run: Run,
        lines: Sequence[dict[str, Any]],
        config: dict[str, Any],
        running: bool,
    ) -> None:
        self._name = name_of(run.path)
        self._lines = with_figures(("seconds",), lines)
        self._last: Mapping[str, Any] = self._lines[-1] if self._lines else {}
        self._verdict = str((lines[-1].get("verdict") if lines else None) or EARLY)
        self._running = running
        self._step: int = self._last.get("step", 0)
        self._seconds: float = self._last.get("seconds", 0.0)
        self._schedule = None
        with suppress(UserError, KeyError, TypeError):  # of another ganface: its end is not known
            self._schedule = TrainConfig.stored(config["train"]).schedule

    def title(self) -> str:
        share = self._share() if self._running else None
        return self._name if share is None else f"{share:.0%} {self._name}"

    def head(self) -> str:
        share = self._share()
        steps = f" of {self._schedule.steps:,}" if self._schedule else ""
        bar = "" if share is None else f'<progress max="1" value="{share:.4f}"></progress>'
        kind, _, advice = self._verdict.partition(":")
        facts = [f"{self._step:,}{steps} updates"]
        if self._seconds:
            facts.append(f"{clock(self._seconds)} of training")
        if self._running and (left := self._left()) is not None:
            facts.append(f"about {clock(left)} left")
        if self._running and self._last.get("images_per_second"):
            facts.append(f"{self._last['images_per_second']:,.0f} images/s")
        said = "".join(f"<li>{fact}</li>" for fact in facts)
        return (
            f"<h1>{escape(self._name)}</h1>"
            f'<p class="state"><b class="chip">{self._state()}</b> '
            f'<b class="chip {tone_of(kind)}">{escape(kind)}</b>'
            f"<span>{escape(advice)}</span></p>"
            f'{bar}<ul class="facts">{said}</ul><p class="late" hidden></p>'
        )

    def foot(self) -> str:
        written = time.strftime("%Y-%m-%d %H:%M:%S")
        again = (
            f", again every {REFRESH} seconds while the training goes on" if self._running else ""
        )
        return f"<footer><p>Written by ganface at {written}{again}.</p></footer>"

    def _state(self) -> str:
        if self._running:
            return "training"
        over = self._schedule and self._schedule.is_over(self._step, self._seconds)
        return "done" if over else "stopped"

    def _share(self) -> float | None:
        """How much of the training is done: of its steps, or of its time if that ends sooner."""
        if not self._schedule:
            return None
        share = self._step / self._schedule.steps
        if self._schedule.minutes:
            share = max(share, self._seconds / (60 * self._schedule.minutes))
        return min(share, 1.0)

    def _left(self) -> float | None:
        """Seconds, at the pace of the newest lines."""
        recent = self._lines[-RECENT:]
        if not self._schedule or len(recent) < 2:
            return None
        steps = recent[-1]["step"] - recent[0]["step"]
        seconds = recent[-1]["seconds"] - recent[0]["seconds"]
        if steps <= 0 or seconds <= 0:
            return None
        left = (self._schedule.steps - self._step) * seconds / steps
        if self._schedule.minutes:
            left = min(left, 60 * self._schedule.minutes - self._seconds)
        return max(left, 0.0)


def _lines(run: Run) -> list[dict[str, Any]]:
    try:
        return read_lines(run.stats)
    except OSError:
        return []


def _config(run: Run) -> dict[str, Any]:
    try:
        return read_config(run)
    except UserError:
        return {}


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{title}</h2>{inside}</section>\n"


def _picture(path: Path, missing: str, wide: bool = False) -> str:
    """The PNG, enlarged by a whole number if it is small; or a text. wide: it is not made smaller,
    for its letters must be read: on a narrow screen it can be moved."""
    try:
        data = path.read_bytes()
        with Image.open(BytesIO(data), formats=("PNG",)) as image:  # its pixels are not decoded
            width, height = image.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return missing
    zoom = 1 if wide else max(1, round(SHOWN_WIDTH / width))
    return (
        f'<figure class="{"chart" if wide else "whole"}"><img src="{embedded(data)}" '
        f'width="{zoom * width}" height="{zoom * height}" alt="{escape(path.name)}"></figure>'
    )


def _settings(config: dict[str, Any]) -> str:
    """All settings of the training, folded away."""
    groups = {name: config.get(name) for name in ("dataset", "build", "train", "versions")}
    rows = [
        (name, value)
        for group in groups.values()
        if isinstance(group, dict)
        for name, value in group.items()
        if value is not None
    ]
    rows += [(name, config[name]) for name in ("device", "precision") if name in config]
    if not rows:
        return ""
    cells = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>"
        for name, value in rows
    )
    return f"<details><summary>Settings</summary><table>{cells}</table></details>"


NO_LINES = "<p>No figures yet: they come with the first 10 updates.</p>"
NO_PICTURE = "<p>No picture yet: the first comes after 100 updates, or at the first milestone.</p>"
NO_TIMELINE = "<p>No milestone yet.</p>"

# A page that a killed training left behind says so
LATE = """
const late = document.querySelector(".late");
const { written } = document.querySelector("header").dataset;
const minutes = Math.floor((Date.now() / 1000 - written) / 60);
if (minutes >= 2) {
  late.textContent = `Nothing new for ${minutes} minutes: unless updates take that long, the ` +
    "training was killed, or ganface watch was ended.";
  late.hidden = false;
}
"""

# Settings that were unfolded stay so when the page loads itself again
UNFOLD = """
const settings = document.querySelector("details");
if (settings) {
  settings.open = sessionStorage.getItem("settings") === "open";
  settings.ontoggle = () => sessionStorage.setItem("settings", settings.open ? "open" : "");
}
"""

STYLE = """
body { max-width: 72rem; }
h1 { margin: 1.2rem 0 .4rem; overflow-wrap: anywhere; }
h2 { margin: 2.2rem 0 .4rem; font-size: 1.2rem; }
.state { display: flex; flex-wrap: wrap; gap: .5rem; align-items: baseline; margin: .4rem 0; }
.chip { padding: .05rem .7rem; border-radius: 1rem; background: var(--soft); font-weight: 600; }
.chip.good { color: #fff; background: #00785a; }
.chip.bad { color: #fff; background: #b34e00; }
progress { width: 100%; height: .8rem; accent-color: var(--mark); }
.facts { display: flex; flex-wrap: wrap; gap: 0 1.5rem; padding: 0; margin: .3rem 0;
  list-style: none; font-variant-numeric: tabular-nums; }
.late { color: #b34e00; }
@media (prefers-color-scheme: dark) { .late { color: #f0803c; } }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr));
  gap: 0 2rem; }
.pictures section { min-width: 0; }
details { margin-top: 2.2rem; } summary { cursor: pointer; }
details table { margin-top: .5rem; } td { overflow-wrap: anywhere; }
"""
