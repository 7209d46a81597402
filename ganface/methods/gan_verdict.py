"""How a GAN's training stands: is it healthy, and if not, what to do.

The bounds lie between what healthy trainings showed and what those did that were made to fail,
under every loss: probabilities and losses mean something else for each, so that they look at the
shares that D gets right, at gradients against each other and at the images themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from ganface.methods.verdict import (
    EARLY,
    FACES_BY,
    HEALTHY,
    LONG_WINDOW,
    Verdict,
    newest_and_those_with,
    with_figures,
    worse_since_best,
)

METRICS = ("accuracy_real", "accuracy_fake", "grad_D", "grad_G")  # what is looked at in every line
DIAGNOSTICS = ("diversity", "diversity_reals", "pace_D", "pace_G")  # and in those that have it
WINDOW = 10  # lines of which the median counts, for what is there every tick
DIAGNOSTICS_WINDOW = 3  # likewise for those that are there now and then

SURE = 0.99  # the share of images that D gets right when it has won
VANISHED = 0.02  # D's gradient then, against G's; 0.1 or more while both learn
AHEAD, AHEAD_BY = 0.96, 1000  # the share that D gets right when it is about to win, from then on
PACE = 0.05  # Adam's step against the weights' own size; 0.01 at the usual rates
ALIKE = 0.05  # the diversity of real images that show one thing; faces have 0.3 to 0.5
LOST = 0.5  # of the most diverse that G's images were: what is left when G collapses
FLAT = 0.15  # of the diversity of real images: too little where there should be faces
LEARNED_BY_HEART = 0.7  # of D's preference for real images, what goes to those it learns from
PREFERS = 0.6  # the share that D gets right from which on it has a preference to speak of
OVERFITTING_WINDOW = 10  # lines with diagnostics: on 64 images each, a single one says little


IMAGES_ALIKE = Verdict("your images are nearly all alike", "G can learn no more than they show")
D_AHEAD = Verdict(
    "D is far ahead",
    "it is right about nearly every image, and G learns little more from it; "
    "start again with a higher --r1, with --augment on, or with more images",
)
D_WINS = Verdict(
    "D is winning",
    "it is never wrong, and little gradient is left; "
    "start again with a lower --lr-d, or --augment on",
)
TOO_FAST = Verdict(
    "the learning rate is too high",
    "each update turns the weights over; start again with a lower --lr",
)
D_TOO_FAST = Verdict(
    "D's learning rate is too high",
    "each update turns its weights over; start again with a lower --lr-d",
)
G_TOO_FAST = Verdict(
    "G's learning rate is too high",
    "each update turns its weights over; start again with a lower --lr-g",
)
OVERFITS = Verdict(
    "D overfits",
    "it knows its images by heart; add images, or start again with --augment on, "
    "or --init-from a training on more faces",
)


def judge(lines: Sequence[dict[str, Any]]) -> Verdict:
    """The verdict on a training by its lines of stats.jsonl, or by those that are `relevant`."""
    ticks = with_figures(METRICS, lines)
    diagnostics = with_figures(DIAGNOSTICS, ticks)
    if not diagnostics:
        return EARLY
    if diagnostics[-1]["diversity_reals"] < ALIKE:
        return IMAGES_ALIKE
    if _d_wins(ticks[-WINDOW:]):
        return D_WINS
    D_fast, G_fast = (diagnostics[-1][name] > PACE for name in ("pace_D", "pace_G"))
    if D_fast or G_fast:
        return TOO_FAST if D_fast and G_fast else D_TOO_FAST if D_fast else G_TOO_FAST
    since = _alike_since(diagnostics)
    if since is not None:
        return Verdict(
            f"faces are becoming alike since step {since:,}",
            "G found some that fool D; start again with another --seed, or --augment on",
        )
    if _overfits(diagnostics[-OVERFITTING_WINDOW:]):
        return OVERFITS
    if _d_leads(ticks[-LONG_WINDOW:]):
        return D_AHEAD
    worse = worse_since_best(lines)
    if worse:
        return worse
    return HEALTHY if ticks[-1]["step"] >= FACES_BY else EARLY


def relevant(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of `lines` that this verdict, or a later one, looks at."""
    return newest_and_those_with(METRICS, (METRICS + DIAGNOSTICS, ("score",)), lines)


def _d_wins(ticks: Sequence[dict[str, Any]]) -> bool:
    """Whether D has got nearly all right for WINDOW lines, and has no gradient left to show it."""
    if len(ticks) < WINDOW:
        return False
    usual = {name: median(line[name] for line in ticks) for name in METRICS}
    sure = min(usual["accuracy_real"], usual["accuracy_fake"]) >= SURE
    # With the saturating loss, the lecture's, it is G that has none left
    gone = usual["grad_D"] < VANISHED * usual["grad_G"] or usual["grad_G"] < VANISHED
    return sure and gone


def _d_leads(ticks: Sequence[dict[str, Any]]) -> bool:
    """Whether D has been right about nearly all images for LONG_WINDOW lines.

    At the start it may be: what G draws then is no match.
    """
    if len(ticks) < LONG_WINDOW or ticks[-1]["step"] < AHEAD_BY:
        return False
    names = ("accuracy_real", "accuracy_fake")
    return all(median(line[name] for line in ticks) >= AHEAD for name in names)


def _overfits(diagnostics: Sequence[dict[str, Any]]) -> bool:
    """Whether D prefers the images that it learns from to those that are held out, if any are."""
    known = [line for line in diagnostics if line.get("overfitting") is not None]
    if len(known) < OVERFITTING_WINDOW:
        return False
    right = median((line["accuracy_real"] + line["accuracy_fake"]) / 2 for line in known)
    return right > PREFERS and median(line["overfitting"] for line in known) > LEARNED_BY_HEART


def _alike_since(diagnostics: Sequence[dict[str, Any]]) -> int | None:
    """The step since which G's images have been alike, if they are for DIAGNOSTICS_WINDOW lines."""
    shares = [line["diversity"] / max(line["diversity_reals"], ALIKE) for line in diagnostics]
    best = max(shares)
    steps = []
    for line, share in zip(reversed(diagnostics), reversed(shares), strict=True):
        if not (share < LOST * min(best, 1) or (share < FLAT and line["step"] >= FACES_BY)):
            break
        steps.append(line["step"])
    # What comes before the best is not yet unlike, not alike again
    after = diagnostics[shares.index(best)]["step"]
    steps = [step for step in steps if step > after or step >= FACES_BY]
    return steps[-1] if len(steps) >= DIAGNOSTICS_WINDOW else None
