"""The schedule of a run: batches, updates, pictures, checkpoints, signals."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from functools import partial

from torch import Tensor

from ganface.config.settings import TrainConfig
from ganface.dataset.pack import Pack
from ganface.errors import Interrupted
from ganface.io.run import Run
from ganface.io.stats import StatsFile
from ganface.methods.gan import REG_INTERVAL, update
from ganface.system.device import Compute
from ganface.system.signals import StopRequest
from ganface.training.batches import Batches, Inputs, fits
from ganface.training.checkpoint import Training, meta_of, remove_old, save_checkpoint, tensors_of
from ganface.training.diagnostics import EXAMINE, Diagnostics
from ganface.training.distributed import Processes
from ganface.training.ema import update_ema
from ganface.training.graph import GraphedUpdate
from ganface.training.memory import fit_to_memory
from ganface.training.progress import Display, Reporter, share_figures, take_means
from ganface.training.snapshots import SnapshotWriter
from ganface.training.writer import HostCopy, Writer

TICK = 10  # steps between lines of stats.jsonl
PICTURE = 100  # steps between renderings of latest.png, where the disk keeps up


def train(
    run: Run,
    pack: Pack,
    config: TrainConfig,
    compute: Compute,
    training: Training,
    display: Display,
    processes: Processes,
) -> None:
    """Go on from training.step to config.steps. Raises Interrupted when told to stop."""
    examiner = Diagnostics(pack, config, compute, training)
    feed = open_feed(pack, config, compute, display, processes)
    choose = partial(choose_update, training, config, compute, processes)
    if compute.raises_oom and processes.world_size == 1 and training.step < config.steps:
        advance = fit_to_memory(training, config, compute, feed.at(training.step + 1), choose)
    else:
        advance = choose()
    milestones = set(config.milestone_steps)
    stop = StopRequest()
    stopped_by = 0
    began = time.monotonic() - training.seconds

    with stop.listening(), Writer() as writer:
        if processes.is_main:
            stats = StatsFile(run.stats, training.step)
            reporter = Reporter(stats, display, writer, config, compute, training)
            artist = SnapshotWriter(run, pack, display, writer, config, compute, training)
            artist.draw_reals()

        while training.step < config.steps and not stopped_by:
            step = training.step + 1

            # Update D, then G, then the average of G
            advance(feed.at(step), step % REG_INTERVAL == 0)
            training.summed += 1
            training.step = step
            training.seconds = time.monotonic() - began
            display.step(step)

            # Report
            last = step == config.steps
            scored = bool(config.evaluate_every) and step % config.evaluate_every == 0
            if step % TICK == 0 or last or scored:
                figures = {"means": take_means(training, processes)}
                if config.augment == "adaptive":
                    figures["strength"] = training.players.strength
                if step % EXAMINE == 0:
                    figures["findings"] = examiner.examine(processes)
                if processes.is_main:
                    score = None
                    if scored:
                        artist.recalibrate()
                        score = artist.keep_best()
                    reporter.tick(HostCopy(figures), score)

            # Draw, and save
            milestone = step in milestones
            stopped_by = processes.all_reduce_max(stop.number)  # asked once: a later signal waits
            save = step % config.checkpoint_every == 0 or last or stopped_by
            if save:
                share_figures(training, processes)
                writer.finish()  # a slow disk must not leave the last good checkpoint far behind
            if processes.is_main:
                # A fast GPU need not wait for a slow disk: latest.png has another chance soon
                picture = milestone or (step % PICTURE == 0 and not writer.busy)
                if picture or save:
                    artist.recalibrate()
                if picture:
                    artist.draw_latest()
                if milestone:
                    artist.draw_milestone()
                if save:
                    submit_checkpoint(writer, run, config, training)

        writer.finish()
        processes.all_reduce_max(
            0
        )  # when one process ends, torchrun tells the others to end as well
    if stopped_by:
        raise Interrupted(f"stopped at step {training.step}; a checkpoint is saved", stopped_by)


def open_feed(
    pack: Pack, config: TrainConfig, compute: Compute, display: Display, processes: Processes
) -> Batches:
    """The images where the device gets at them fastest; where that is, is said."""
    on_gpu, resident = compute.device.type == "cuda", fits(pack, compute.device)
    if on_gpu:
        display.note("images held in GPU memory" if resident else "images read from the pack")
    ahead, share = on_gpu and not resident, processes.shard(config.batch_size)
    return Batches(pack, config, compute.device, resident, ahead, share)


def choose_update(
    training: Training, config: TrainConfig, compute: Compute, processes: Processes
) -> Callable[[Inputs, bool], None]:
    """One update of all that `training` holds, in the way that is fastest on its device.

    It takes the inputs, and whether R1 and R2 are computed in it.
    """
    G, D = (
        processes.wrap(network, config.sync_batchnorm)
        for network in (training.players.G, training.players.D)
    )
    players = dataclasses.replace(training.players, G=G, D=D)

    def advance(inputs: Inputs, apply_reg: bool) -> None:
        for optimiser, lr in zip(
            (players.opt_D, players.opt_G), inputs.learning_rates, strict=True
        ):
            optimiser.param_groups[0]["lr"].copy_(lr)
        batches = inputs.batches(config.d_steps)
        training.sums += update(players, batches, config, compute, apply_reg)
        update_ema(training.G_ema, training.players.G, inputs.ema_weight)

    if not (compute.use_cuda_graph and processes.world_size == 1):
        return advance
    lazily = bool(config.r1 or config.r2)  # else both kinds of update are the same
    graphs = [GraphedUpdate(partial(advance, apply_reg=kind), training) for kind in (False, True)]
    return lambda inputs, apply_reg: graphs[lazily and apply_reg](inputs)


def submit_checkpoint(writer: Writer, run: Run, config: TrainConfig, training: Training) -> None:
    step, meta = training.step, meta_of(training)

    def save(tensors: dict[str, Tensor]) -> None:
        # A job before this one may have found a better score
        save_checkpoint(run.checkpoint(step), tensors, {**meta, "best": training.best})
        remove_old(run, config.keep)

    writer.submit(HostCopy(tensors_of(training)), save)
