"""The course of a run: batches, updates, pictures, checkpoints, signals."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from torch import Tensor, nn

from ganface.dataset.pack import Pack
from ganface.errors import Interrupted
from ganface.io.run import Run
from ganface.io.stats import StatsFile
from ganface.methods.base import Method, TrainState
from ganface.methods.probe import Probe
from ganface.models.ema import update_ema
from ganface.system.signals import StopRequest
from ganface.training.batches import Batches, Inputs, fits
from ganface.training.checkpoint import meta_of, remove_old, save_checkpoint, tensors_of
from ganface.training.config import TrainConfig
from ganface.training.display import Display
from ganface.training.distributed import Processes
from ganface.training.graph import GraphedUpdate, released
from ganface.training.memory import fit_to_memory
from ganface.training.report import Reporter, share_figures, take_means
from ganface.training.snapshots import SnapshotWriter
from ganface.training.writer import HostCopy, Writer

TICK = 10  # steps between lines of stats.jsonl
DIAGNOSE = 50  # steps between diagnostics
PICTURE = 100  # steps between drawings of latest.png, where the disk keeps up
PICTURES_APART = 2.0  # seconds at least: a fast GPU makes 100 steps in a quarter of one


def train(
    run: Run,
    pack: Pack,
    config: TrainConfig,
    method: Method,
    state: TrainState,
    display: Display,
    processes: Processes,
) -> None:
    """Go on from state.step to the last step. Raises Interrupted when told to stop."""
    schedule, compute = config.schedule, method.compute
    probe = Probe(pack, schedule.seed, config.architecture.z_dim, compute.device)
    batches = open_batches(pack, config, method, display, processes)
    choose = partial(choose_update, state, method, config, processes)
    over = schedule.is_over(state.step, state.seconds)
    if compute.raises_oom and processes.alone and not over:
        advance = fit_to_memory(state, method, config, batches.at(state.step + 1), choose)
    else:
        advance = choose()
    milestones = set(schedule.milestone_steps)
    stop = StopRequest()
    stopped_by = 0
    began = time.monotonic() - state.seconds
    last_save = last_picture = time.monotonic()
    saving: Future[None] | None = None  # the newest checkpoint

    with stop.listening(), released(advance), Writer() as writer:
        if processes.is_main:
            stats = StatsFile(run.stats, state.step)
            reporter = Reporter(stats, display, writer, config, method, state)
            pictures = SnapshotWriter(run, pack, display, writer, config, method, state, probe)
            pictures.draw_reals()

        while not (over or stopped_by):
            step = state.step + 1

            # Update every network, and the averages
            advance(batches.at(step), bool(method.reg_interval) and step % method.reg_interval == 0)
            state.summed += 1
            state.step = step
            state.seconds = time.monotonic() - began
            display.step(step)
            # A fast GPU need not wait for a slow disk: latest.png has another chance soon
            may_draw = not writer.busy and time.monotonic() - last_picture >= PICTURES_APART

            # One number for all processes, and asked once: a later signal waits. Of the largest
            # number the signal comes first
            due = schedule.checkpoint_due(step, time.monotonic() - last_save)
            asked = 4 * stop.number + 2 * schedule.is_over(step, state.seconds) + due
            asked = processes.all_reduce_max(asked)
            stopped_by, over, due = asked // 4, bool(asked & 2), bool(asked & 1)

            # Report
            scored = bool(schedule.evaluate_every) and step % schedule.evaluate_every == 0
            if step % TICK == 0 or over or scored:
                figures = {"means": take_means(state, processes), **method.report(state)}
                if step % DIAGNOSE == 0:
                    figures["diagnostics"] = method.diagnose(state, probe)
                    processes.all_reduce_mean(figures["diagnostics"])
                if processes.is_main:
                    score = None
                    if scored:
                        method.recalibrate(state, probe)
                        score = pictures.keep_best()
                    reporter.tick(HostCopy(figures), score)

            # Draw, and save
            milestone = step in milestones or over
            save = due or over or stopped_by
            if save:
                share_figures(state, processes)
                last_save = time.monotonic()
                if saving:  # a slow disk must not leave the last good checkpoint far behind
                    saving.result()
            if processes.is_main:
                picture = milestone or (step % PICTURE == 0 and may_draw)
                if picture or save:
                    method.recalibrate(state, probe)
                if picture:
                    last_picture = time.monotonic()
                    pictures.draw_latest()
                if milestone:
                    pictures.draw_milestone()
                if save:
                    saving = submit_checkpoint(writer, run, schedule.keep, method, state)

        writer.finish()
        # When one process ends, torchrun tells the others to end as well: all wait for the last
        processes.all_reduce_max(0)
    if stopped_by:
        raise Interrupted(f"stopped at step {state.step}; a checkpoint is saved", stopped_by)


def open_batches(
    pack: Pack, config: TrainConfig, method: Method, display: Display, processes: Processes
) -> Batches:
    """The images where the device gets at them fastest; where that is, is said."""
    device = method.compute.device
    on_gpu, resident = device.type == "cuda", fits(pack, device)
    if on_gpu:
        display.note("images held in GPU memory" if resident else "images read from the pack")
    shard = processes.shard(config.optimizer.batch_size)
    return Batches(pack, config, method, resident, on_gpu, shard)


def choose_update(
    state: TrainState, method: Method, config: TrainConfig, processes: Processes
) -> Callable[[Inputs, bool], None]:
    """One update of all that `state` holds, in the way that is fastest on its device.

    It takes the inputs, and whether the method's regularisation is computed in it.
    """
    count = config.method.batches_per_update
    if not processes.alone:
        state.average_gradients = processes.average_gradients
        if config.hardware.sync_batchnorm:
            for network in state.networks.values():  # its parts are replaced in place
                nn.SyncBatchNorm.convert_sync_batchnorm(network)

    def advance(inputs: Inputs, apply_reg: bool) -> None:
        for name, optimizer in state.optimizers.items():
            optimizer.param_groups[0]["lr"].copy_(inputs.rate(name))
        state.tensors["sums"] += method.update(state, inputs.batches(count), apply_reg)
        for name, average in state.ema.items():
            update_ema(average, state.networks[name], inputs["ema_weight"])

    return GraphedUpdate(advance, state) if method.compute.use_cuda_graph else advance


def submit_checkpoint(
    writer: Writer, run: Run, keep: int, method: Method, state: TrainState
) -> Future[None]:
    step, meta = state.step, meta_of(state, method.architecture)

    def save(tensors: dict[str, Tensor]) -> None:
        # A job before this one may have found a better score
        save_checkpoint(run.checkpoint(step), tensors, {**meta, "best": state.lowest})
        remove_old(run, keep)

    return writer.submit(HostCopy(tensors_of(state)), save)
