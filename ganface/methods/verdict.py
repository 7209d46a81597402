"""What every method's verdict is made of: how a training stands, in one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LONG_WINDOW = 50  # lines of which the median counts, for what comes slowly
FACES_BY = 500  # updates before which there is nothing to be called healthy
WORSE = 1.25  # of the lowest score: what is no chance if two in a row are above it


@dataclass(frozen=True)
class Verdict:
    """What is the matter, and what to do about it."""

    kind: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.advice}" if self.advice else self.kind


EARLY = Verdict("too early to tell")
HEALTHY = Verdict("healthy")


def is_best(score: float, lowest: float | None) -> bool:
    """Whether G as it is now is to be kept as the best, `lowest` being the lowest score before.

    It is unless its score is WORSE: of generators that the score cannot tell apart for sure, the
    one that has learned longest draws the better faces (docs/evaluation.md).
    """
    return lowest is None or score <= WORSE * lowest


def worse_since_best(lines: Sequence[dict[str, Any]]) -> Verdict | None:
    """The verdict if the last two scores are both WORSE than the lowest."""
    best = _far_behind(lines, 2)
    if best is None:
        return None
    return Verdict(
        f"faces are getting worse since step {best['step']:,}",
        "sample --best draws those of then; more images or --augment on may help",
    )


def compare_latest(lines: Sequence[dict[str, Any]]) -> str | None:
    """What to say to who draws by the latest generator, if its score is WORSE."""
    best = _far_behind(lines, 1)
    if best is None:
        return None
    latest = with_figures(("score",), lines)[-1]
    return (
        f"the latest scores {latest['score']:.1f}, step {best['step']:,} scored "
        f"{best['score']:.1f} (lower is better); --best takes that"
    )


def _far_behind(lines: Sequence[dict[str, Any]], count: int) -> dict[str, Any] | None:
    """The line of the best by `is_best`, if the last `count` scores are all WORSE."""
    scored = with_figures(("score",), lines)
    lowest = min((line["score"] for line in scored), default=None)
    good = [line for line in scored if is_best(line["score"], lowest)]
    return good[-1] if good and not any(line in good for line in scored[-count:]) else None


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
