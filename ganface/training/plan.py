"""What will be trained, and on what: settings, device, precision, images."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganface import __version__
from ganface.config.architecture import check_size
from ganface.config.dataset import LABELLING, BuildConfig
from ganface.config.hardware import COMPILE_STEPS
from ganface.config.settings import changed_settings
from ganface.dataset.build import Report
from ganface.dataset.cache import open_pack
from ganface.dataset.pack import Pack, is_pack
from ganface.dataset.sources import describe_left_out, list_source
from ganface.errors import UserError
from ganface.io.console import Track
from ganface.io.run import Run, read_config
from ganface.pictures.grid import choose_grid_scale
from ganface.system.compiler import find_compiler
from ganface.system.device import Compute, choose_device, choose_precision
from ganface.system.free_memory import available, in_words
from ganface.training.config import TrainConfig
from ganface.training.distributed import Processes
from ganface.training.followers import check_followers
from ganface.training.init_from import adopt_origin
from ganface.training.memory import estimate, smaller


@dataclass(frozen=True)
class Plan:
    """What will be trained, and on what."""

    build: BuildConfig
    train: TrainConfig
    compute: Compute
    compile: str = "auto"  # HardwareConfig's, or what that came to when a resumed run began
    threads: int | None = None  # of a resumed run, if as many processes go on with it
    fingerprint: str | None = None  # of the dataset that a resumed run began with

    @property
    def labelling(self) -> dict[str, Any]:
        """The settings by which the images' labels were read, for a training that goes on."""
        return {name: getattr(self.build, name) for name in LABELLING}

    @property
    def kernels_wanted(self) -> bool:
        """Whether the CPU's kernels are to be compiled, if they can be."""
        worth_it = self.compile == "on" or self.train.schedule.steps >= COMPILE_STEPS
        return self.compute.device.type == "cpu" and self.compile != "off" and worth_it


def make_plan(
    run: Run, resume: bool, build: dict[str, Any], train: dict[str, Any], processes: Processes
) -> Plan:
    """Settings of a new run, or of an old one with the given ones changed that may be.

    `build`, `train`: the settings that were given, by name. Touches no file but config.json.
    Raises UserError if the run directory or a setting forbids it.
    """
    # The meta device loads PyTorch's compiler, which at once makes a folder for what it will
    # compile. Here that is nothing, so the folder is one that is there
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.getcwd())
    there = run.begun(resume)
    if not there:
        build, train = adopt_origin(build, train)
        config = TrainConfig.of(train)
        check_size(build.get("size", BuildConfig.size))
        _check_seeds(config, build.get("size", BuildConfig.size))
        if build.get("labels") is not None and config.method_class.uses_labels:
            config.architecture.check_hears_labels()
        compute = _compute(config, None, processes)
        return Plan(BuildConfig(**build), config, compute, config.hardware.compile)

    stored = read_config(run)
    try:
        old_build, old_train = (
            BuildConfig.stored(stored["build"]),
            TrainConfig.stored(stored["train"]),
        )
        precision, fingerprint = stored["precision"], stored["dataset"]["fingerprint"]
        compile = train.get("compile", "on" if stored["compiled"] else "off")
        threads = stored["threads"] if stored["processes"] == processes.world_size else None
    except (KeyError, TypeError, UserError) as error:
        raise UserError(
            f"{run.config}: not the settings of this ganface, {__version__} ({error}); it takes "
            f"the one that wrote them, {stored['versions'].get('ganface', 'another one')}"
        ) from error
    changes = changed_settings([old_build], build) + changed_settings(old_train.groups, train)
    if changes:
        raise UserError(f"{run.path}: cannot be resumed with other settings: {'; '.join(changes)}")
    config = TrainConfig.of({**old_train.flat(), **train})
    compute = _compute(config, precision, processes)
    new_build = dataclasses.replace(old_build, **{n: build[n] for n in LABELLING if n in build})
    return Plan(new_build, config, compute, compile, threads, fingerprint)


def _compute(config: TrainConfig, stored_precision: str | None, processes: Processes) -> Compute:
    """A resumed run keeps the precision that "auto" stood for when it began."""
    check_followers(config.schedule)
    device = processes.own(choose_device(config.hardware.device))
    processes.shard(config.optimizer.batch_size)  # refuses what cannot be split
    if config.hardware.sync_batchnorm and processes.world_size > 1 and device.type == "cpu":
        raise UserError("--sync-batchnorm: PyTorch does it on GPUs only; leave it out")
    return Compute(device, choose_precision(stored_precision or config.hardware.precision, device))


def size_of(data: Path, plan: Plan) -> int:
    """Side of the images that will be trained on."""
    return Pack(data).size if is_pack(data) else plan.build.size


def memory_needed(data: Path, plan: Plan, processes: Processes) -> Callable[[int], int]:
    """About how many bytes a training on the CPU takes, by its batch size."""
    size = size_of(data, plan)
    compiled = plan.kernels_wanted and find_compiler() is not None
    dataset, _ = _count(data)

    def needed(batch_size: int) -> int:
        share, precision = batch_size // processes.world_size, plan.compute.precision
        each = estimate(plan.train, size, precision, compiled, share, dataset)
        return processes.local_world_size * each

    return needed


def check_memory(data: Path, plan: Plan, processes: Processes) -> None:
    """Raise UserError if training on the CPU would take more memory than there is."""
    there = available()
    if plan.compute.device.type != "cpu" or there is None:
        return
    needed = memory_needed(data, plan, processes)
    batch_size = plan.train.optimizer.batch_size
    if needed(batch_size) <= there:
        return
    found = next((n for n in smaller(batch_size, processes.world_size) if needed(n) <= there), None)
    if plan.fingerprint:
        advice = "end other programs, or go on where there is more"
    else:
        advice = f"--batch-size {found} fits" if found else "give a smaller --width"
    raise UserError(
        f"--batch-size {batch_size}, --width {plan.train.architecture.width}: training would take "
        f"about {in_words(needed(batch_size))} of memory, and {in_words(there)} are free; {advice}"
    )


def count_images(data: Path, plan: Plan) -> tuple[int, dict[str, str]]:
    """How many images DATA seems to hold, before any is opened; and other files with the reasons
    why they are none. Raises UserError if there are too few."""
    count, left_out = _count(data)
    _check_enough(data, count, left_out, plan)
    return count, left_out


def _check_seeds(config: TrainConfig, size: int) -> None:
    """Raise UserError if a grid of the seeds would be too large a picture."""
    try:
        choose_grid_scale(size, len(config.schedule.grid_seeds))
    except UserError as error:
        raise UserError(f"--seeds {config.schedule.seeds}: {error}") from error


def _count(data: Path) -> tuple[int, dict[str, str]]:
    """Images in DATA by their names, and other files with the reasons why they are none."""
    if is_pack(data):
        return len(Pack(data)), {}
    listing = list_source(data)
    return len(listing.images), listing.left_out


def _check_enough(data: Path, count: int, left_out: dict[str, str], plan: Plan) -> None:
    if count < plan.train.optimizer.batch_size:
        others = f" ({describe_left_out(left_out)})" if left_out else ""
        raise UserError(
            f"{data}: {count} images{others}, fewer than --batch-size "
            f"{plan.train.optimizer.batch_size}; add images, or give a smaller batch size"
        )


def open_data(
    data: Path, plan: Plan, given: dict[str, Any], cache: Path, track: Track
) -> tuple[Pack, Report | None]:
    """What `dataset.cache.open_pack` gives for this plan.

    `given`: the settings of BuildConfig that were given. Raises UserError if the images do not fit.
    """
    pack, report = open_pack(data, plan.build, given, cache, track)
    _check_enough(data, len(pack), report.left_out if report else {}, plan)
    _check_seeds(plan.train, pack.size)
    if plan.fingerprint not in (None, pack.fingerprint):
        raise UserError(f"{data}: not the images that this run began with")
    return pack, report
