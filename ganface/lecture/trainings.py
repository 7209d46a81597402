"""The trainings that the lecture's arguments need, each a run directory like any other."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganface.config.optimizer import OptimizerConfig
from ganface.config.settings import flag_of
from ganface.dataset.pack import Pack
from ganface.errors import NotANumber, UserError, WorkError
from ganface.io.console import say
from ganface.io.run import Run
from ganface.io.tensors import read_header
from ganface.training.distributed import Processes
from ganface.training.plan import Plan, check_memory, make_plan
from ganface.training.run import train_run

COMMON: dict[str, Any] = {
    "width": 32,
    "milestones": "20,50,100,200,500,1000,2000,5000,10000,20000,50000",
    "keep": 1,
}
MEASURING = 3.0  # minutes that are left for figures, and for each training to begin


@dataclass(frozen=True)
class Part:
    """`name`: of its run directory. `share`: of the time for trainings."""

    name: str
    share: float
    settings: dict[str, Any]
    dies: bool = False  # it is there to fail, and may do so by what is no number


PARTS = (
    Part("gan", 0.35, {}),
    Part("codes-random", 0.07, {"method": "codes", "codes": "random"}),
    Part("codes-pca", 0.07, {"method": "codes", "codes": "pca"}),
    Part("codes-learned", 0.07, {"method": "codes", "codes": "learned"}),
    Part("autoencoder", 0.09, {"method": "autoencoder"}),
    Part("vae", 0.12, {"method": "vae"}),
    Part("energy", 0.2, {"method": "energy"}),
    # D learns far faster than G, whose loss gives it no gradient where D is sure
    Part(
        "dying", 0.03, {"preset": "dcgan", "loss": "saturating", "lr_d": 4e-3, "lr_g": 1e-5}, True
    ),
)


def train_all(
    folder: Path, data: Path, pack: Pack, minutes: float, device: str, resume: bool, again: str
) -> None:
    """Train each of PARTS in its share of the time, into a run directory below `folder`.

    data: what `pack` is made of, as the user calls it.
    With `resume` those that are done are left as they are, and others go on. again: the command
    that goes on. Raises what `train_run` does, and UserError if there are too few images, or if the
    pack is not the one that a training began with.
    """
    if len(pack) < OptimizerConfig.batch_size:
        raise UserError(
            f"{data}: {len(pack)} images; it takes {OptimizerConfig.batch_size} at least"
        )
    processes, budget = Processes(), max(minutes - MEASURING, minutes / 2)
    whole = sum(part.share for part in PARTS)
    plans = []
    for part in PARTS:  # what must be refused is, before the first of them takes its time
        run = Run(folder / part.name)
        limit = {"minutes": budget * part.share / whole, "device": device}
        settings, begun = {**COMMON, **part.settings, **limit}, resume and run.holds_training()
        plan = make_plan(run, begun, {"size": pack.size}, settings, processes)
        if plan.fingerprint not in (None, pack.fingerprint):
            raise UserError(f"{data}: not the images that {run.path} began with")
        check_memory(pack.path, plan, processes)
        plans.append((run, begun, plan))
    for number, (part, (run, begun, plan)) in enumerate(zip(PARTS, plans, strict=True), start=1):
        if begun and _is_over(run, plan):
            continue
        left = budget * sum(each.share for each in PARTS[number - 1 :]) / whole
        command = shlex.join(command_of(part, data))
        say(f"\nTraining {number} of {len(PARTS)}, {left:.1f} minutes left for them: {command}")
        try:
            train_run(run, pack, plan, begun, processes, again)
        except WorkError as error:
            if not (part.dies and isinstance(error.__cause__, NotANumber)):
                raise
            say(str(error))


def command_of(part: Part, data: Path) -> Sequence[str]:
    """What a user would type for it, without the settings that are the same for all."""
    flags = [[flag_of(name), str(value)] for name, value in part.settings.items()]
    return ["ganface", "train", str(data), *(text for flag in flags for text in flag)]


def _is_over(run: Run, plan: Plan) -> bool:
    newest = run.newest_checkpoint()
    if newest is None:
        return False
    meta = read_header(newest, "checkpoint").meta
    return plan.train.schedule.is_over(meta["step"], meta["seconds"])
