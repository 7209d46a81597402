"""What every method's verdict is made of: how a training stands, in one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LONG_WINDOW = 50  # lines of which the median counts, for what comes slowly
FACES_BY = 500  # updates before which there is nothing to be called healthy
WORSE = 1.25  # of the best score: what is no chance if two in a row are above it


@dataclass(frozen=True)
class Verdict:
    """What is the matter, and what to do about it."""

    kind: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.advice}" if self.advice else self.kind


EARLY = Verdict("too early to tell")
HEALTHY = Verdict("healthy")


def worse_since_best(lines: Sequence[dict[str, Any]]) -> Verdict | None:
    """The verdict if the last two scores are both WORSE than the best."""
    best = _far_behind(lines, 2)
    if best is None:
        return None
    return Verdict(
        f"faces are getting worse since step {best['step']:,}",
        "sample --best draws those of then; more images or --augment on may help",
    )


def compare_latest(lines: Sequence[dict[str, Any]]) -> str | None:
    """What to say to who draws by the latest generator, if its score is WORSE than the best."""
    best = _far_behind(lines, 1)
    if best is None:
        return None
    latest = with_figures(("score",), lines)[-1]
    return (
        f"the latest scores {latest['score']:.1f}, step {best['step']:,} scored "
        f"{best['score']:.1f} (lower is better); --best takes that"
    )


def _far_behind(lines: Sequence[dict[str, Any]], count: int) -> dict[str, Any] | None:
    """The line with the best score, if the last `count` are all WORSE than it."""
    scored = with_figures(("score",), lines)
    best = min(scored, key=lambda line: line["score"], default=None)
    if best is None or min(line["score"] for line in scored[-count:]) <= WORSE * best["score"]:
        return None
    return best


def with_figures(names: Sequence[str], lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of `lines` that hold these figures: a file may be damaged."""
    return [line for line in lines if all(line.get(name) is not None for name in names)]


def newest_and_those_with(
    every_line: Sequence[str],
    now_and_then: Sequence[Sequence[str]],
    lines: Sequence[dict[str, Any]],
) -> list[dict[str, Any]]:
    """The newest LONG_WINDOW of the lines that hold `every_line`, and all that hold one of the
    groups of figures in `now_and_then`."""
    newest = {id(line) for line in with_figures(every_line, lines)[-LONG_WINDOW:]}
    return [
        line
        for line in lines
        if id(line) in newest or any(with_figures(names, [line]) for names in now_and_then)
    ]
