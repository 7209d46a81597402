"""One training, from its first step or its newest checkpoint to its end, shown on stderr."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from ganface.dataset.pack import Pack
from ganface.errors import (
    CannotWriteError,
    Interrupted,
    WorkError,
    describe_out_of_memory,
    is_out_of_memory,
)
from ganface.io.console import stderr
from ganface.io.run import Run
from ganface.methods.base import TrainState
from ganface.training.display import Display
from ganface.training.distributed import Processes
from ganface.training.followers import followers_of
from ganface.training.plan import Plan
from ganface.training.recovery import train_and_recover
from ganface.training.start import begin


def train_run(
    run: Run, pack: Pack, plan: Plan, resume: bool, processes: Processes, again: str
) -> TrainState:
    """Train as `plan` says, and return the state that reached the end.

    again: the command that goes on. Raises Interrupted when told to stop, CannotWriteError, and
    WorkError where the memory ran out, each of which names it; WorkError for what cannot go on; and
    UserError for a run directory that cannot be taken.
    """
    with run.lock() if processes.is_main else nullcontext():
        method, state, notes = begin(run, pack, plan, resume, processes)
        console, schedule = stderr(quiet=not processes.is_main), plan.train.schedule
        followers = followers_of(run, schedule, state.step) if processes.is_main else []
        shown = state.step, schedule.steps, method.display, schedule.minutes, followers
        with Display(console, *shown) as display:
            for note in [*notes, *_opening_notes(state, run, pack, plan, processes)]:
                display.note(note)
            try:
                return train_and_recover(run, pack, plan, method, state, display, processes)
            except Interrupted as stop:
                message = f"{stop}. To go on: {again}"
                raise Interrupted(
                    message if processes.is_main else "", stop.signal_number
                ) from None
            except SystemExit as end:  # a second signal
                saved = max(run.checkpoints(), default=None)
                last = "nothing is saved yet" if saved is None else f"saved is step {saved}"
                message = f"stopped at once; {last}. To go on: {again}"
                code: Any = end.code  # 128 + the signal's number: see system.signals
                raise Interrupted(message if processes.is_main else "", code - 128) from None
            except CannotWriteError as error:
                message = f"{error}. To go on once it can: {again}"
                raise CannotWriteError(message) from error
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                message = f"{describe_out_of_memory(error)}. To go on: {again}"
                raise WorkError(message) from error


def _opening_notes(
    state: TrainState, run: Run, pack: Pack, plan: Plan, processes: Processes
) -> list[str]:
    config, compute, schedule = plan.train, plan.compute, plan.train.schedule
    times = f"{processes.world_size} processes on " if processes.world_size > 1 else ""
    limit = f", {schedule.minutes:g} minutes at most," if schedule.minutes else ""
    return [
        f"{len(pack)} images of {pack.size} × {pack.size}, {times}{compute.name}, "
        f"{compute.precision}, {'compiled' if state.meta['compiled'] else 'PyTorch'} kernels",
        f"{config.method_class.title} of width {config.architecture.width}, "
        f"preset {config.recipe.preset}, z of {config.architecture.z_dim}, "
        f"batches of {config.optimizer.batch_size}, {schedule.steps} steps{limit} into {run.path}",
    ]
