"""From what the user asked for to a training that can go on: settings, images, starting point."""

from __future__ import annotations

import dataclasses
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganface import __version__
from ganface.config.settings import BuildConfig, TrainConfig, changed_settings, check_size
from ganface.dataset.build import Report
from ganface.dataset.cache import open_pack
from ganface.dataset.order import held_out
from ganface.dataset.pack import Pack, is_pack
from ganface.dataset.sources import list_source
from ganface.errors import UserError, WorkError
from ganface.io.console import Track
from ganface.io.folders import cache_folder
from ganface.io.run import Run, read_config, write_config
from ganface.models.kernels.winograd import load_libraries
from ganface.models.layers import use_compiled
from ganface.system.compiler import CannotCompile, find_compiler
from ganface.system.device import DTYPES, Compute, choose_device, choose_kernels, choose_precision
from ganface.system.free_memory import available, in_words
from ganface.training.checkpoint import Training, newest_good, remove_old, restore, set_aside, start
from ganface.training.distributed import Processes
from ganface.training.init_from import begin_with, find_origin
from ganface.training.memory import estimate, smaller

FEW = 500  # images, of which D knows each one soon
COMPILE_STEPS = 100  # from so many on, faster kernels earn back the seconds of their compilation


@dataclass(frozen=True)
class Plan:
    """What will be trained, and on what."""

    build: BuildConfig
    train: TrainConfig
    compute: Compute
    compile: str = "auto"  # TrainConfig's, or what that came to when a resumed run began
    threads: int | None = None  # of a resumed run, if as many processes go on with it
    fingerprint: str | None = None  # of the dataset that a resumed run began with

    @property
    def kernels_wanted(self) -> bool:
        """Whether the CPU's kernels are to be compiled, if they can be."""
        worth_it = self.compile == "on" or self.train.steps >= COMPILE_STEPS
        return self.compute.device.type == "cpu" and self.compile != "off" and worth_it


def make_plan(
    run: Run, resume: bool, build: dict[str, Any], train: dict[str, Any], processes: Processes
) -> Plan:
    """Settings of a new run, or of an old one with the given ones changed that may be.

    `build`, `train`: the settings that were given, by name. Touches no file but config.json.
    Raises UserError if the run directory or a setting forbids it.
    """
    there = run.begun(resume)
    if not there:
        if train.get("init_from") is not None:
            build, train = find_origin(Path(train["init_from"])).adopt(build, train)
        config = TrainConfig.of(train)
        check_size(build.get("size", BuildConfig.size))
        compute = _compute(config, None, processes)
        return Plan(BuildConfig(**build), config, compute, config.compile)

    stored = read_config(run)
    try:
        old_build, old_train = BuildConfig(**stored["build"]), TrainConfig.stored(stored["train"])
        precision, fingerprint = stored["precision"], stored["dataset"]["fingerprint"]
        compile = train.get("compile", "on" if stored["compiled"] else "off")
        threads = stored["threads"] if stored["processes"] == processes.world_size else None
    except (KeyError, TypeError, UserError) as error:
        raise UserError(
            f"{run.config}: not the settings of this ganface, {__version__} ({error}); it takes "
            f"the one that wrote them, {stored['versions'].get('ganface', 'another one')}"
        ) from error
    changes = changed_settings(old_build, build) + changed_settings(old_train, train)
    if changes:
        raise UserError(f"{run.path}: cannot be resumed with other settings: {'; '.join(changes)}")
    config = dataclasses.replace(old_train, **train)
    compute = _compute(config, precision, processes)
    return Plan(old_build, config, compute, compile, threads, fingerprint)


def _compute(config: TrainConfig, stored_precision: str | None, processes: Processes) -> Compute:
    """A resumed run keeps the precision that "auto" stood for when it began."""
    device = processes.own(choose_device(config.device))
    processes.shard(config.batch_size)  # refuses what cannot be split
    if config.sync_batchnorm and processes.world_size > 1 and device.type == "cpu":
        raise UserError("--sync-batchnorm: PyTorch does it on GPUs only; leave it out")
    return Compute(device, choose_precision(stored_precision or config.precision, device))


def check_memory(data: Path, plan: Plan, processes: Processes) -> None:
    """Raise UserError if training on the CPU would take more memory than there is."""
    there = available()
    if plan.compute.device.type != "cpu" or there is None:
        return
    size = Pack(data).size if is_pack(data) else plan.build.size
    compiled = plan.kernels_wanted and find_compiler() is not None

    def needed(batch_size: int) -> int:
        share, precision = batch_size // processes.world_size, plan.compute.precision
        return processes.local_world_size * estimate(plan.train, size, precision, compiled, share)

    batch_size = plan.train.batch_size
    if needed(batch_size) <= there:
        return
    found = next((n for n in smaller(batch_size, processes.world_size) if needed(n) <= there), None)
    if plan.fingerprint:
        advice = "end other programs, or go on where there is more"
    else:
        advice = f"--batch-size {found} fits" if found else "give a smaller --width"
    raise UserError(
        f"--batch-size {batch_size}, --width {plan.train.width}: training would take about "
        f"{in_words(needed(batch_size))} of memory, and {in_words(there)} are free; {advice}"
    )


def count_images(data: Path, plan: Plan) -> int:
    """How many images DATA seems to hold, before any is opened. Raises UserError if too few."""
    count = len(Pack(data)) if is_pack(data) else len(list_source(data).images)
    _check_enough(data, count, plan)
    return count


def _check_enough(data: Path, count: int, plan: Plan) -> None:
    if count < plan.train.batch_size:
        raise UserError(
            f"{data}: {count} images, fewer than --batch-size {plan.train.batch_size}; "
            "add images, or give a smaller batch size"
        )


def open_data(
    data: Path, plan: Plan, given: dict[str, Any], cache: Path, track: Track
) -> tuple[Pack, Report | None]:
    """The pack of DATA, ingested if need be (then with its report).

    `given`: the settings of BuildConfig that were given. Raises UserError if the images do not fit.
    """
    pack, report = open_pack(data, plan.build, given, cache, track)
    _check_enough(data, len(pack), plan)
    if plan.fingerprint not in (None, pack.fingerprint):
        raise UserError(f"{data}: not the images that this run began with")
    return pack, report


def begin(
    run: Run, pack: Pack, plan: Plan, resume: bool, processes: Processes
) -> tuple[Training, list[str]]:
    """The training at its first step, or at its newest good checkpoint; and what to tell the user.

    To be called with the run's lock held, by the first process at least; another training may have
    had it since `make_plan`. Raises WorkError if the processes did not find the same.
    """
    compiled = _compile(plan)
    if processes.is_main:
        run.begun(resume)
    # Optimisers load PyTorch's compiler, which nothing here uses, and which makes a folder at once
    torch_cache = (cache_folder() or run.cache) / "torch"
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(torch_cache))
    choose_kernels(plan.compute.device, plan.train.deterministic)
    if plan.threads:
        torch.set_num_threads(plan.threads)  # sums that are split otherwise end in other bits
    training = start(plan.train, pack.size, plan.compute)
    if compiled:
        use_compiled(training.players.G)
        use_compiled(training.players.D)
    training.meta = {
        "build": dataclasses.asdict(pack.settings),
        "train": dataclasses.asdict(plan.train),
        "precision": plan.compute.precision,
        "device": plan.compute.name,
        "compiled": compiled,
        "threads": torch.get_num_threads(),
        "processes": processes.world_size,
        "dataset": {"fingerprint": pack.fingerprint, "images": len(pack), "size": pack.size},
        "versions": {
            "ganface": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
    }
    notes = _restore_newest(run, plan, training) if resume else []
    if training.step == 0:
        notes += warn_of_few(len(pack), plan.train)
        if plan.train.init_from is not None:
            notes.append(begin_with(training, find_origin(Path(plan.train.init_from)).path))
    if processes.is_main:
        write_config(run, training.meta)
        run.create()  # after config.json, by which a run directory is known
        set_aside(run, training.step)
        remove_old(run, plan.train.keep)  # which a killed process had left to do
    if not processes.all_equal(training.step):
        raise WorkError(f"{run.path}: not the same for all processes; put it on a shared disk")
    if not processes.all_equal(int(pack.fingerprint[:15], 16)):
        raise WorkError(f"{pack.path}: the processes do not hold the same images")
    return training, notes


def warn_of_few(images: int, config: TrainConfig) -> list[str]:
    """What to tell who trains on so few images."""
    if images >= FEW:
        return []
    advice = [] if config.init_from else ["--init-from a training on more faces"]
    advice += ["--augment on"] if config.augment == "off" else []
    helps = f"; what helps: {', '.join(advice)}" if advice else ""
    warnings = [f"{images} images are few: D soon knows them by heart, and G draws them{helps}"]
    if not held_out(images):
        warnings.append("too few to hold any out: that D overfits could not be seen")
    return warnings


def _compile(plan: Plan) -> bool:
    """Compile the kernels for the CPU, if that is wanted; whether they are there now.

    Raises UserError if they are wanted in any case and cannot be had.
    """
    if not plan.kernels_wanted:
        return False
    try:
        load_libraries(DTYPES[plan.compute.precision])
    except CannotCompile as error:
        if plan.compile == "auto":
            return False
        raise UserError(f"cannot compile the CPU's kernels: {error}; try --compile off") from error
    return True


def _restore_newest(run: Run, plan: Plan, training: Training) -> list[str]:
    """Restore the newest good checkpoint, if there is one; return what to tell the user."""
    found = newest_good(run)
    if found is None:
        return [f"{run.path}: no checkpoint yet; starting at step 0"]
    meta, tensors, complaints = found
    changes = changed_settings(plan.train, meta["train"])
    if changes:
        raise UserError(
            f"{run.config}: does not fit the checkpoints ({'; '.join(changes)}); remove it, and "
            "their settings are taken"
        )
    try:
        restore(training, meta, tensors)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(
            f"{run.path}: its checkpoints do not fit this ganface, {__version__}; it takes the one "
            f"that wrote them, {meta.get('ganface', 'another one')}, or a new run, in another --out"
        ) from error
    remark = f"{run.path}: going on from step {training.step}"
    if training.step >= plan.train.steps:
        remark = f"{run.path}: is at step {training.step} already; to go on, give more --steps"
    return [*complaints, remark]
