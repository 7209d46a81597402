"""When an update gives NaN or infinity: go back to the last good state, and on in float32, once."""

from __future__ import annotations

import dataclasses

from ganface.dataset.pack import Pack
from ganface.errors import NotANumber, WorkError
from ganface.io.run import Run
from ganface.io.stats import StatsFile
from ganface.training import loop
from ganface.training.checkpoint import Training
from ganface.training.distributed import Processes
from ganface.training.prepare import Plan, begin
from ganface.training.progress import Display


def train(
    run: Run, pack: Pack, plan: Plan, training: Training, display: Display, processes: Processes
) -> Training:
    """What `loop.train` does, and once more from the newest checkpoint if it came to no number.

    The newest checkpoint is good, since none is saved of a state that is not; if there is none yet,
    the run begins anew. Returns the training that reached the end. Raises WorkError if it came to
    no number again, or if several processes would have to go back together.
    """
    try:
        loop.train(run, pack, plan.train, plan.compute, training, display, processes)
        return training
    except NotANumber as fault:
        if processes.world_size > 1:
            raise WorkError(f"{fault}; {ADVICE}; checkpoints up to that are good") from fault
        reason = str(fault)

    exact = dataclasses.replace(plan.compute, precision="fp32")
    plan = dataclasses.replace(plan, compute=exact)
    training, notes = begin(run, pack, plan, True, processes)
    verdict = f"{reason}; went back to step {training.step}, and on in fp32"
    StatsFile(run.stats, training.step).write({"step": training.step, "verdict": verdict})
    for note in [*notes, verdict]:
        display.note(note)
    try:
        loop.train(run, pack, plan.train, exact, training, display, processes)
    except NotANumber as fault:
        raise WorkError(f"{fault}, in fp32 as well; {ADVICE}") from fault
    return training


ADVICE = "start again with a lower --lr, or another --seed"
