"""Settings drawn at random for kinds of GAN and a VAE, from the same wide ranges for all.

The protocol is that of Lucic, Kurach, Michalski, Gelly and Bousquet 2018, "Are GANs Created Equal?
A Large-Scale Study" (arXiv:1711.10337): wide ranges, and as many draws for each.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from ganface.config.settings import flag_of
from ganface.training.config import TrainConfig

KINDS: dict[str, dict[str, Any]] = {
    "ns": {"loss": "ns"},
    "lsgan": {"loss": "lsgan"},
    "hinge": {"loss": "hinge"},
    "wgan-gp": {"loss": "wgan-gp"},
    "vae": {"method": "vae"},
}
DEFAULT = 0  # the number of the training with a kind's default settings


@dataclass(frozen=True)
class Draw:
    """One training of a search."""

    kind: str  # one of KINDS
    number: int  # from 1; DEFAULT: not drawn
    settings: dict[str, Any]  # those that are drawn, by name

    @property
    def name(self) -> str:
        return f"{self.kind}-{'default' if self.number == DEFAULT else self.number}"

    @property
    def flags(self) -> list[str]:
        """What `ganface train` is to be told."""
        wanted = {**KINDS[self.kind], **self.settings}
        return [word for name, value in wanted.items() for word in (flag_of(name), str(value))]


def draws_of(count: int, seed: int) -> list[Draw]:
    """`count` draws of each kind, and its defaults, in the order in which they are to be trained:
    of a search that is stopped all kinds have come equally far."""
    numbers = range(count + 1)
    return [Draw(kind, each, settings_of(kind, each, seed)) for each in numbers for kind in KINDS]


def settings_of(kind: str, number: int, seed: int) -> dict[str, Any]:
    """The settings of a draw: a function of these three, however many draws there are."""
    # Python promises that of a seed random() alone stays the same in every version
    dice = random.Random(f"{seed} {kind} {number}").random
    drawn = {
        "lr": float(f"{10 ** (-5 + 3 * dice()):.3g}"),
        "beta1": round(0.9999 * dice(), 4),
        "d_steps": 1 + int(5 * dice()),
        "norm": "batch" if dice() < 0.5 else "none",
    }
    if kind == "vae":  # it has no D
        del drawn["d_steps"], drawn["norm"]
    if kind == "wgan-gp":  # its penalty forbids BatchNorm
        drawn["norm"] = "none"
    if number == DEFAULT:
        defaults = TrainConfig.of(KINDS[kind]).flat()
        return {name: defaults[name] for name in drawn}
    return drawn


def describe(settings: dict[str, Any]) -> str:
    """Such as "lr 3.1e-04, beta1 0.62, d-steps 2, norm batch"."""
    shown = {**settings, "lr": f"{settings['lr']:.1e}", "beta1": f"{settings['beta1']:.2f}"}
    return ", ".join(f"{flag_of(name)[2:]} {value}" for name, value in shown.items())
