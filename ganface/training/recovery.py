"""When an update gives NaN or infinity: go back to the last good state, and on in float32, once."""

from __future__ import annotations

import dataclasses

from ganface.dataset.pack import Pack
from ganface.errors import NotANumber, WorkError
from ganface.io.run import Run
from ganface.io.stats import StatsFile
from ganface.methods.base import Method, TrainState
from ganface.training import loop
from ganface.training.display import Display
from ganface.training.distributed import Processes
from ganface.training.plan import Plan
from ganface.training.start import begin


def train_and_recover(
    run: Run,
    pack: Pack,
    plan: Plan,
    method: Method,
    state: TrainState,
    display: Display,
    processes: Processes,
) -> TrainState:
    """What `loop.train` does, and once more from the newest checkpoint if it came to no number.

    The newest checkpoint is good, since none is saved of a state that is not; if there is none yet,
    the run begins anew. Returns the state that reached the end. Raises WorkError if it came to
    no number again, or if several processes would have to go back together.
    """
    try:
        loop.train(run, pack, plan.train, method, state, display, processes)
        return state
    except NotANumber as fault:
        if processes.world_size > 1:
            raise WorkError(f"{fault}; {ADVICE}; checkpoints up to that are good") from fault
        reason = str(fault)

    exact = dataclasses.replace(plan.compute, precision="fp32")
    plan = dataclasses.replace(plan, compute=exact)
    method, state, notes = begin(run, pack, plan, True, processes)
    verdict = f"{reason}; went back to step {state.step}, and on in fp32"
    StatsFile(run.stats, state.step).write({"step": state.step, "verdict": verdict})
    for note in [*notes, verdict]:
        display.note(note)
    try:
        loop.train(run, pack, plan.train, method, state, display, processes)
    except NotANumber as fault:
        raise WorkError(f"{fault}, in fp32 as well; {ADVICE}") from fault
    return state


ADVICE = "start again with a lower --lr, or another --seed"
