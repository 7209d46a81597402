"""`ganface train`."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganface.cli.options import pick, with_settings
from ganface.cli.shared import AsJson, Cache, refuse_missing
from ganface.config.architecture import check_size
from ganface.config.dataset import BuildConfig
from ganface.io.console import progress_bar, show_result
from ganface.training.config import ALL_GROUPS, TrainConfig

if TYPE_CHECKING:
    from ganface.io.run import Run
    from ganface.training.distributed import Processes
    from ganface.training.plan import Plan


# The settings that people need first; the others follow in their groups
FIRST = ("size", "width", "method", "steps", "minutes", "batch_size", "labels")


@with_settings(*ALL_GROUPS[:2], BuildConfig, *ALL_GROUPS[2:], first=FIRST)
def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder, a .zip or a pack.")],
    out: Annotated[
        Path | None, typer.Option(metavar="RUN", help="The run directory; runs/NAME if not given.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and how long; write nothing.")
    ] = False,
    cache: Cache = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Train a generator, and draw the same faces as it learns.

    \b
    ganface train my-faces                          everything into runs/my-faces
    ganface train my-faces --size 32 --width 32     small and soon done
    ganface train my-faces --minutes 30             end after half an hour
    ganface train my-faces --dry-run                what would be done, and how long
    ganface train my-faces --resume --steps 100000  go on, for longer
    ganface train my-faces --labels tags.csv        learn to draw to order
    ganface train my-faces --method vae             another way to learn
    """
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
    from ganface.training.plan import open_data
    from ganface.training.run import train_run

    for turn in processes.in_turn():
        if turn:
            with progress_bar("reading images") as track:
                folder = cache or cache_folder() or run.cache
                pack, report = open_data(data, plan, build, folder, track)
            if report and processes.is_main:
                report.show()

    again = resuming(data, run, cache, processes)
    return train_run(run, pack, plan, resume, processes, again).step


def resuming(data: Path, run: "Run", cache: Path | None, processes: "Processes") -> str:
    """The command that goes on; of several processes, what torchrun is to start."""
    import shlex

    again = ["ganface", "train", str(data), "--out", str(run.path), "--resume"]
    again += ["--cache", str(cache)] if cache else []
    return ("torchrun … -m " if processes.world_size > 1 else "") + shlex.join(again)


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
