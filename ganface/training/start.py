"""A training at its first step, or where its newest good checkpoint left it."""

from __future__ import annotations

import dataclasses
import platform
from pathlib import Path

import torch

from ganface import __version__
from ganface.config.settings import changed_settings
from ganface.dataset.order import held_out
from ganface.dataset.pack import Pack
from ganface.errors import UserError, WorkError
from ganface.io.run import Run, write_config
from ganface.latents.labels import Attributes
from ganface.methods.base import Method, TrainState
from ganface.models.kernels.winograd import load_libraries
from ganface.models.layers import use_compiled
from ganface.system.compiler import CannotCompile
from ganface.system.device import DTYPES, Compute, choose_kernels
from ganface.training.checkpoint import newest_good, remove_old, restore, set_aside
from ganface.training.config import TrainConfig
from ganface.training.distributed import Processes
from ganface.training.init_from import begin_with, find_origin
from ganface.training.plan import Plan

FEW = 500  # images, of which each is soon known by heart


def begin(
    run: Run, pack: Pack, plan: Plan, resume: bool, processes: Processes
) -> tuple[Method, TrainState, list[str]]:
    """The training at its first step, or at its newest good checkpoint; and what to tell the user.

    To be called with the run's lock held, by the first process at least; another training may have
    had it since `make_plan`. Raises WorkError if the processes did not find the same.
    """
    compiled = compile_kernels(plan)
    if processes.is_main:
        run.begun(resume)
    choose_kernels(plan.compute.device, plan.train.hardware.deterministic)
    if plan.threads:
        torch.set_num_threads(plan.threads)  # sums that are split otherwise end in other bits
    method, state = create_for(pack, plan.train, plan.compute, compiled)
    state.meta = {
        "build": dataclasses.asdict(pack.settings) | plan.labelling,
        "train": plan.train.flat(),
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
    notes = _restore_newest(run, plan, state) if resume else []
    if pack.attributes and not method.architecture.labels:
        why = "without --modulate G" if method.uses_labels else f"--method {method.name}"
        notes.append(f"labels: {why} does not use them")
    if state.step == 0:
        notes += warn_of_few(len(pack), plan.train)
        if plan.train.recipe.init_from is not None:
            origin = find_origin(Path(plan.train.recipe.init_from), plan.train.recipe.method)
            notes.append(begin_with(state, method.architecture, origin.path))
            method.prepare(state, pack)  # what it knows of its images is of these
        notes += method.start(state)
    if processes.is_main:
        write_config(run, state.meta)
        run.create()  # after config.json, by which a run directory is known
        set_aside(run, state.step)
        remove_old(run, plan.train.schedule.keep)  # which a killed process had left to do
    if not processes.all_equal(state.step):
        raise WorkError(f"{run.path}: not the same for all processes; put it on a shared disk")
    if not processes.all_equal(int(pack.fingerprint[:15], 16)):
        raise WorkError(f"{pack.path}: the processes do not hold the same images")
    if not processes.all_equal(_checksum(state)):
        raise WorkError("the processes' networks begin with other weights; use CPUs of one kind")
    return method, state, notes


def create(
    config: TrainConfig, size: int, compute: Compute, labels: Attributes | None = None
) -> tuple[Method, TrainState]:
    """The method that `config` asks for, for images of `size` with such labels, and its state at
    step 0.

    Raises UserError for a size that the networks cannot do.
    """
    method = config.build_method(size, compute, labels)
    state = method.build()
    # Metrics are summed on the device, so that it need not be waited for at every update
    state.tensors["sums"] = torch.zeros(len(method.metrics), device=compute.device)
    return method, state


def create_for(
    pack: Pack, config: TrainConfig, compute: Compute, compiled: bool = False
) -> tuple[Method, TrainState]:
    """`create`, for the images of a pack. compiled: whether its networks use the CPU's kernels."""
    method, state = create(config, pack.size, compute, pack.attributes)
    method.prepare(state, pack)
    for network in state.networks.values():
        use_compiled(network, compiled)
    return method, state


def _checksum(state: TrainState) -> int:
    """Of the bits of all weights, whatever the order in which a device adds them up."""
    weights = [p for network in state.networks.values() for p in network.parameters()]
    return sum(int(weight.detach().view(torch.int32).sum()) for weight in weights) % 2**62


def warn_of_few(images: int, config: TrainConfig) -> list[str]:
    """What to tell who trains on so few images."""
    if images >= FEW:
        return []
    advice = [] if config.recipe.init_from else ["--init-from a training on more faces"]
    advice += ["--augment on"] if getattr(config.method, "augment", "on") == "off" else []
    helps = f"; what helps: {', '.join(advice)}" if advice else ""
    warnings = [f"{images} images are few: they are soon known by heart, and G draws them{helps}"]
    if not held_out(images):
        warnings.append("too few to hold any out: overfitting could not be seen")
    return warnings


def compile_kernels(plan: Plan) -> bool:
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


def _restore_newest(run: Run, plan: Plan, state: TrainState) -> list[str]:
    """Restore the newest good checkpoint, if there is one; return what to tell the user."""
    found = newest_good(run)
    if found is None:
        return [f"{run.path}: no checkpoint yet; starting at step 0"]
    meta, tensors, complaints = found
    changes = changed_settings(plan.train.groups, meta["train"])
    if changes:
        raise UserError(
            f"{run.config}: does not fit the checkpoints ({'; '.join(changes)}); remove it, and "
            "their settings are taken"
        )
    try:
        restore(state, meta, tensors)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(
            f"{run.path}: its checkpoints do not fit this ganface, {__version__}; it takes the one "
            f"that wrote them, {meta.get('ganface', 'another one')}, or a new run, in another --out"
        ) from error
    remark = f"{run.path}: going on from step {state.step}"
    schedule = plan.train.schedule
    if state.step > schedule.steps:
        raise UserError(
            f"--steps {schedule.steps}: {run.path} is at step {state.step} already; give more"
        )
    if schedule.is_over(state.step, state.seconds):
        more = "--steps" if state.step >= schedule.steps else "--minutes"
        remark = f"{run.path}: is at step {state.step} already; to go on, give more {more}"
    return [*complaints, remark]
