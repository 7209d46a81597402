"""`ganface train`."""

import dataclasses
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganface.cli.options import pick, with_settings
from ganface.cli.shared import AsJson, Cache, refuse_missing
from ganface.config.settings import BuildConfig, TrainConfig, check_size
from ganface.errors import (
    CannotWriteError,
    Interrupted,
    WorkError,
    describe_out_of_memory,
    is_out_of_memory,
)
from ganface.io.console import progress_bar, show_result, stderr

if TYPE_CHECKING:
    from ganface.dataset.pack import Pack
    from ganface.io.run import Run
    from ganface.training.checkpoint import Training
    from ganface.training.distributed import Processes
    from ganface.training.prepare import Plan


@with_settings(BuildConfig, TrainConfig)
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
    """Train a DCGAN, and draw the same faces again as it learns."""
    from ganface.dataset.pack import is_pack
    from ganface.io.folders import name_of
    from ganface.io.run import Run
    from ganface.io.tensors import read_header

    # What can be refused without PyTorch is, since that takes seconds to load
    refuse_missing(data)
    if is_pack(data):
        read_header(data, "pack")
    run = Run(out or Path("runs") / name_of(data))
    if not run.begun(resume):
        check_settings(pick(BuildConfig, given), pick(TrainConfig, given))

    from ganface.training.distributed import this_process
    from ganface.training.prepare import check_memory, make_plan

    processes = this_process()
    plan = make_plan(run, resume, pick(BuildConfig, given), pick(TrainConfig, given), processes)
    check_memory(data, plan, processes)
    if dry_run:
        if processes.is_main:
            show_plan(data, run, plan, as_json)
        return
    with processes.joined(plan.compute.device):
        step = train_together(data, run, plan, given, resume, cache, processes)
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
        from ganface.training.init_from import find_origin

        build, train = find_origin(Path(train["init_from"])).adopt(build, train)
    check_size(BuildConfig(**build).size)
    TrainConfig.of(train)


def train_together(
    data: Path,
    run: "Run",
    plan: "Plan",
    given: dict[str, Any],
    resume: bool,
    cache: Path | None,
    processes: "Processes",
) -> int:
    """What `train` does once its processes are joined. Returns the last step."""
    from ganface.io.folders import cache_folder
    from ganface.training.prepare import begin, open_data
    from ganface.training.progress import Display
    from ganface.training.recovery import train as train_on

    for turn in processes.in_turn():
        if turn:
            with progress_bar("reading images") as track:
                folder = cache or cache_folder() or run.cache
                pack, report = open_data(data, plan, pick(BuildConfig, given), folder, track)
            if report:
                report.show()

    with run.lock() if processes.is_main else nullcontext():
        training, notes = begin(run, pack, plan, resume, processes)
        again = resuming(data, run, cache, processes)
        console = stderr(quiet=not processes.is_main)
        with Display(console, training.step, plan.train.steps) as display:
            for note in [*notes, *describe(training, run, pack, plan, processes)]:
                display.note(note)
            try:
                training = train_on(run, pack, plan, training, display, processes)
            except Interrupted as stop:
                message = f"{stop}. To go on: {again}"
                raise Interrupted(
                    message if processes.is_main else "", stop.signal_number
                ) from None
            except SystemExit as end:  # a second signal
                saved = max(run.checkpoints(), default=None)
                last = "nothing is saved yet" if saved is None else f"saved is step {saved}"
                message = f"stopped at once; {last}. To go on: {again}"
                raise Interrupted(message if processes.is_main else "", end.code - 128) from None
            except CannotWriteError as error:
                message = f"{error}. To go on once it can: {again}"
                raise CannotWriteError(message) from error
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                message = f"{describe_out_of_memory(error)}. To go on: {again}"
                raise WorkError(message) from error
    return training.step


def resuming(data: Path, run: "Run", cache: Path | None, processes: "Processes") -> str:
    """The command that goes on; of several processes, what torchrun is to start."""
    import shlex

    again = ["ganface", "train", str(data), "--out", str(run.path), "--resume"]
    again += ["--cache", str(cache)] if cache else []
    return ("torchrun … -m " if processes.world_size > 1 else "") + shlex.join(again)


def describe(
    training: "Training", run: "Run", pack: "Pack", plan: "Plan", processes: "Processes"
) -> list[str]:
    config, compute = plan.train, plan.compute
    times = f"{processes.world_size} processes on " if processes.world_size > 1 else ""
    return [
        f"{len(pack)} images of {pack.size} × {pack.size}, {times}{compute.name}, "
        f"{compute.precision}, {'compiled' if training.meta['compiled'] else 'PyTorch'} kernels",
        f"DCGAN of width {config.width}, preset {config.preset}, z of {config.z_dim}, "
        f"batches of {config.batch_size}, "
        f"{config.steps} steps into {run.path}",
    ]


def show_plan(data: Path, run: "Run", plan: "Plan", as_json: bool) -> None:
    """What `train --dry-run` says."""
    from ganface.training.prepare import count_images

    result: dict[str, Any] = {
        "images": count_images(data, plan),
        "run": str(run.path),
        "device": plan.compute.name,
        "precision": plan.compute.precision,
        "build": dataclasses.asdict(plan.build),
        "train": dataclasses.asdict(plan.train),
    }
    lines = "\n".join(f"{key}: {value}" for key, value in result.items())
    show_result(result, as_json, lines + "\nnothing written")
