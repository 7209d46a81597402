"""`ganface train`."""

import dataclasses
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganface.cli.options import pick, with_settings
from ganface.cli.shared import AsJson, Cache, refuse_missing
from ganface.config.architecture import check_size
from ganface.config.dataset import BuildConfig
from ganface.errors import (
    CannotWriteError,
    Interrupted,
    WorkError,
    describe_out_of_memory,
    is_out_of_memory,
)
from ganface.io.console import progress_bar, show_result, stderr
from ganface.training.config import ALL_GROUPS, TrainConfig

if TYPE_CHECKING:
    from ganface.dataset.pack import Pack
    from ganface.io.run import Run
    from ganface.methods.base import TrainState
    from ganface.training.distributed import Processes
    from ganface.training.plan import Plan


@with_settings(*ALL_GROUPS[:2], BuildConfig, *ALL_GROUPS[2:])
def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder, a .zip or a pack.")],
    out: Annotated[
        Path | None, typer.Option(metavar="RUN", help="The run directory; runs/NAME if not given.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint.")
    ] = False,
    cache: Cache = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, write nothing.")] = False,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Train a generator, and draw the same faces as it learns."""
    from ganface.dataset.pack import is_pack
    from ganface.io.folders import name_of
    from ganface.io.run import Run
    from ganface.io.tensors import read_header

    # What can be refused without PyTorch is, since that takes seconds to load
    refuse_missing(data)
    if is_pack(data):
        read_header(data, "pack")
    run = Run(out or Path("runs") / name_of(data))
    build, settings = pick([BuildConfig], given), pick(ALL_GROUPS, given)
    if not run.begun(resume):
        check_settings(build, settings)

    from ganface.training.distributed import this_process
    from ganface.training.plan import check_memory, make_plan

    processes = this_process()
    plan = make_plan(run, resume, build, settings, processes)
    check_memory(data, plan, processes)
    if dry_run:
        if processes.is_main:
            show_plan(data, run, plan, as_json)
        return
    with processes.joined(plan.compute.device):
        step = train_together(data, run, plan, build, resume, cache, processes)
    result = {
        "run": str(run.path),
        "step": step,
        "timeline": str(run.timeline),
        "timeline_gif": str(run.timeline_gif),
        "generator": str(run.generator),
    }
    if processes.is_main:
        show_result(result, as_json, f"{run.timeline}\n{run.timeline_gif}\n{run.generator}")


def check_settings(build: dict[str, Any], train: dict[str, Any]) -> None:
    """Raise UserError for settings that no training can begin with."""
    if train.get("init_from") is not None:
        from ganface.training.init_from import adopt_origin

        build, train = adopt_origin(build, train)
    check_size(BuildConfig(**build).size)
    TrainConfig.of(train)


def train_together(
    data: Path,
    run: "Run",
    plan: "Plan",
    build: dict[str, Any],
    resume: bool,
    cache: Path | None,
    processes: "Processes",
) -> int:
    """What `train` does once its processes are joined. Returns the last step."""
    from ganface.io.folders import cache_folder
    from ganface.training.display import Display
    from ganface.training.plan import open_data
    from ganface.training.recovery import train_and_recover
    from ganface.training.start import begin

    for turn in processes.in_turn():
        if turn:
            with progress_bar("reading images") as track:
                folder = cache or cache_folder() or run.cache
                pack, report = open_data(data, plan, build, folder, track)
            if report:
                report.show()

    with run.lock() if processes.is_main else nullcontext():
        method, state, notes = begin(run, pack, plan, resume, processes)
        again = resuming(data, run, cache, processes)
        console = stderr(quiet=not processes.is_main)
        steps = plan.train.schedule.steps
        with Display(console, state.step, steps, method.display) as display:
            for note in [*notes, *opening_notes(state, run, pack, plan, processes)]:
                display.note(note)
            try:
                state = train_and_recover(run, pack, plan, method, state, display, processes)
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
    return state.step


def resuming(data: Path, run: "Run", cache: Path | None, processes: "Processes") -> str:
    """The command that goes on; of several processes, what torchrun is to start."""
    import shlex

    again = ["ganface", "train", str(data), "--out", str(run.path), "--resume"]
    again += ["--cache", str(cache)] if cache else []
    return ("torchrun … -m " if processes.world_size > 1 else "") + shlex.join(again)


def opening_notes(
    state: "TrainState", run: "Run", pack: "Pack", plan: "Plan", processes: "Processes"
) -> list[str]:
    config, compute = plan.train, plan.compute
    times = f"{processes.world_size} processes on " if processes.world_size > 1 else ""
    return [
        f"{len(pack)} images of {pack.size} × {pack.size}, {times}{compute.name}, "
        f"{compute.precision}, {'compiled' if state.meta['compiled'] else 'PyTorch'} kernels",
        f"{config.method_class.title} of width {config.architecture.width}, "
        f"preset {config.recipe.preset}, z of {config.architecture.z_dim}, "
        f"batches of {config.optimizer.batch_size}, "
        f"{config.schedule.steps} steps into {run.path}",
    ]


def show_plan(data: Path, run: "Run", plan: "Plan", as_json: bool) -> None:
    """What `train --dry-run` says."""
    from ganface.training.plan import count_images

    result: dict[str, Any] = {
        "images": count_images(data, plan),
        "run": str(run.path),
        "device": plan.compute.name,
        "precision": plan.compute.precision,
        "build": dataclasses.asdict(plan.build),
        "train": plan.train.flat(),
    }
    lines = "\n".join(f"{key}: {value}" for key, value in result.items())
    show_result(result, as_json, lines + "\nnothing written")
