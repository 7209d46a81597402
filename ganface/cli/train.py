"""`ganface train`."""

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganface.cli.options import pick, with_settings
from ganface.cli.shared import AsJson, Cache, refuse_missing
from ganface.config.architecture import check_size
from ganface.config.dataset import BuildConfig
from ganface.config.settings import as_flags
from ganface.io.console import clock, one_line, progress_bar, say, show_result
from ganface.training.config import ALL_GROUPS, TrainConfig

if TYPE_CHECKING:
    from ganface.io.run import Run
    from ganface.methods.base import TrainState
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
    if not (resume and run.exists()):
        check_settings(build, settings)
    run.begun(resume)

    from ganface.training.distributed import this_process
    from ganface.training.plan import check_memory, make_plan

    processes = this_process()
    plan = make_plan(run, resume, build, settings, processes)
    check_memory(data, plan, processes)
    if dry_run:
        if processes.is_main:
            show_plan(data, run, plan, as_json, processes)
        return
    with processes.joined(plan.compute.device):
        state = train_together(data, run, plan, build, resume, cache, processes)
    result = {
        "run": str(run.path),
        "step": state.step,
        "seconds": state.seconds,
        "timeline": str(run.timeline),
        "timeline_gif": str(run.timeline_gif),
        "generator": str(run.generator),
    }
    if processes.is_main:
        again = resuming(data, run, cache, processes)
        for line in end_notes(data, run, plan, state, again):
            say(line)
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
) -> "TrainState":
    """What `train` does once its processes are joined. Returns the state that reached the end."""
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
    return train_run(run, pack, plan, resume, processes, again)


def end_notes(data: Path, run: "Run", plan: "Plan", state: "TrainState", again: str) -> list[str]:
    """What is said at the end: how long it took, and what to try next, as commands.

    again: the command that goes on.
    """
    from ganface.io.stats import read_lines
    from ganface.methods.verdict import compare_latest

    schedule, lines, where = plan.train.schedule, read_lines(run.stats), str(run.path)
    verdict, better = lines[-1].get("verdict") if lines else None, compare_latest(lines)
    best = ["--best"] if better else []
    commands = {
        "new faces": ["sample", where, *best],
        "a walk from face to face": ["interpolate", where, *best],
        "a page that draws faces, in any browser": ["page", where, *best],
        "how good they are": ["evaluate", where, str(data), *best],
        "how it went": ["plot", where],
    }
    if plan.train.recipe.method == "energy":  # whose G is D, and no page can climb it
        del commands["a page that draws faces, in any browser"]
    shown = {what: shlex.join(["ganface", *words]) for what, words in commands.items()}
    more = f"--steps {2 * state.step}"
    if schedule.minutes and state.step < schedule.steps:
        # Of all resumptions together; it may have been given fewer than were trained already
        more = f"--minutes {2 * max(schedule.minutes, round(state.seconds / 60, 1)):g}"
    shown["twice as long"] = f"{again} {more}"
    width = min(60, max(map(len, shown.values())))  # a longer one moves its own remark alone
    return [
        f"{state.step:,} updates took {clock(state.seconds)}" + (f"; {verdict}" if verdict else ""),
        *([better] if better else []),
        "what to try next:",
        *(f"  {command:{width}}  # {what}" for what, command in shown.items()),
    ]


def resuming(data: Path, run: "Run", cache: Path | None, processes: "Processes") -> str:
    """The command that goes on; of several processes, what torchrun is to start."""
    again = ["ganface", "train", str(data), "--out", str(run.path), "--resume"]
    again += ["--cache", str(cache)] if cache else []
    return ("torchrun … -m " if processes.world_size > 1 else "") + shlex.join(again)


def show_plan(data: Path, run: "Run", plan: "Plan", as_json: bool, processes: "Processes") -> None:
    """What `train --dry-run` says."""
    from ganface.dataset.labels import check_labels
    from ganface.dataset.pack import is_pack
    from ganface.dataset.sources import count_reasons, describe_left_out
    from ganface.system.free_memory import available, in_words
    from ganface.training.forecast import seconds_per_update
    from ganface.training.plan import count_images, memory_needed, size_of

    (images, left_out), size = count_images(data, plan), size_of(data, plan)
    check_labels(data, plan.build)
    schedule, batch_size = plan.train.schedule, plan.train.optimizer.batch_size
    result: dict[str, Any] = {
        "images": images,
        "left_out": count_reasons(left_out),
        "image_size": size,
        "run": str(run.path),
        "device": plan.compute.name,
        "precision": plan.compute.precision,
        "memory": None,
        "seconds_per_update": None,
        "seconds": None,
        "build": dataclasses.asdict(plan.build),
        "train": plan.train.flat(),
    }
    unusual = {} if is_pack(data) else plan.build.differing(BuildConfig())
    flags = shlex.join(as_flags(plan.train.unusual() | unusual)) or "none"
    lines = [
        f"images: {images:,} of {size} × {size}, unless some turn out to be bad or equal",
        *([one_line(describe_left_out(left_out))] if left_out else []),
        f"run: {run.path}",
        f"device: {plan.compute.name}, {plan.compute.precision}",
        f"settings that are not the defaults: {flags}",
    ]
    if plan.compute.device.type == "cpu":
        result["memory"] = memory_needed(data, plan, processes)(batch_size)
        there = available()
        free = f", {in_words(there)} are free" if there is not None else ""
        lines.append(f"memory: about {in_words(result['memory'])}{free}")
    if processes.alone:
        say("trying some updates on images of noise, to see how long they take")
        each = seconds_per_update(plan, size)
        left = schedule.steps - max(run.checkpoints(), default=0)
        whole = each * max(left, 0)
        result |= {"seconds_per_update": each, "seconds": whole}
        limit = f", but {schedule.minutes:g} minutes at most" if schedule.minutes else ""
        rate = plan.train.images_per_step / each
        lines.append(
            f"time: about {clock(whole)} for {left:,} updates{limit}, at {rate:.0f} images/s as "
            "just tried; pictures and scores come on top"
        )
    show_result(result, as_json, "\n".join([*lines, "nothing written"]))
