"""The schedule of a run: batches, updates, pictures, checkpoints, signals."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from ganface.config import TrainConfig
from ganface.dataset.pack import Pack
from ganface.device import Compute
from ganface.ema import decay_at, recalibrate, update_ema
from ganface.errors import Interrupted
from ganface.generate import draw_grid
from ganface.images import (
    Image,
    caption,
    grid,
    read_png_meta,
    save_animation,
    save_png,
    square_columns,
    timeline,
)
from ganface.latents import z_of
from ganface.models.snapshot import save_snapshot
from ganface.run import Run
from ganface.training import streams
from ganface.training.checkpoint import Training, remove_old, save_checkpoint
from ganface.training.progress import Display, StatsFile
from ganface.training.step import STATISTICS, update

TICK = 10  # steps between lines of stats.jsonl
PICTURE = 100  # steps between renderings of latest.png
RECALIBRATION = (16, 64)  # batches, faces in each, for G_ema's BatchNorm statistics


@dataclass
class StopRequest:
    """The first SIGINT or SIGTERM, to be obeyed between two updates. A second one acts at once."""

    number: int = 0
    _previous: dict[int, Any] = field(default_factory=dict)

    @contextmanager
    def listening(self) -> Iterator[None]:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._note)
        try:
            yield
        finally:
            self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.number = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def train(
    run: Run,
    pack: Pack,
    config: TrainConfig,
    compute: Compute,
    training: Training,
    display: Display,
) -> None:
    """Go on from training.step to config.steps. Raises Interrupted when told to stop."""
    order = streams.DataOrder(config.seed, len(pack), config.batch_size)
    artist = Artist(run, config, compute, training)
    artist.draw_reals(pack, order)
    milestones = set(config.milestone_steps)
    stop = StopRequest()
    began = time.monotonic() - training.seconds
    last_tick = time.monotonic(), training.step

    with closing(StatsFile(run.stats, training.step)) as stats, stop.listening():
        while training.step < config.steps:
            step = training.step + 1

            # Fetch real images and draw z
            reals = fetch(pack, order, config, step, compute.device)
            z = streams.z_at(config.seed, step, config.batch_size, config.z_dim)

            # Update D, then G, then the average of G
            training.sums += update(training.players, reals, z.to(compute.device), compute)
            training.summed += 1
            update_ema(training.G_ema, training.players.G, decay_at(step, config.ema_decay))
            training.step = step
            training.seconds = time.monotonic() - began
            display.step(step)

            # Report
            last = step == config.steps
            if step % TICK == 0 or last:
                now = time.monotonic()
                rate = (step - last_tick[1]) * config.batch_size / (now - last_tick[0])
                last_tick = now, step
                line = take_statistics(training, config, compute, rate)
                stats.write(line)
                display.tick(line)

            # Draw, and save
            milestone = step in milestones
            stopped_by = stop.number  # asked once: a later signal waits for the next update
            save = step % config.checkpoint_every == 0 or last or stopped_by
            if step % PICTURE == 0 or milestone or save:
                artist.recalibrate()
            if step % PICTURE == 0 or milestone:
                display.picture(artist.draw_latest())
            if milestone:
                display.milestone(artist.draw_milestone())
            if save:
                save_checkpoint(run.checkpoint(step), training)
                remove_old(run, config.keep, step)
            if stopped_by:
                raise Interrupted(f"stopped at step {step}; a checkpoint is saved", stopped_by)


def fetch(
    pack: Pack, order: streams.DataOrder, config: TrainConfig, step: int, device: torch.device
) -> Tensor:
    """The real images of one update: float32 [B, 3, H, W] in [-1, 1], channels_last."""
    images = pack.batch(order.indices_at(step).tolist()).to(device)
    if config.flip:
        flips = streams.flips_at(config.seed, step, config.batch_size).to(device)
        images = torch.where(flips[:, None, None, None], images.flip(3), images)
    reals = images.to(torch.float32, memory_format=torch.channels_last)
    return reals.div_(127.5).sub_(1)


def take_statistics(
    training: Training, config: TrainConfig, compute: Compute, images_per_second: float
) -> dict[str, Any]:
    """The line of stats.jsonl for the updates since the last one; their sums start anew."""
    means = (training.sums / training.summed).tolist()
    training.sums.zero_()
    training.summed = 0
    return {
        "step": training.step,
        "images_seen": training.step * config.batch_size,
        "seconds": round(training.seconds, 3),
        "images_per_second": round(images_per_second, 1),
        **dict(zip(STATISTICS, means, strict=True)),
        "precision": compute.precision,
        "lr": config.lr,
    }


class Artist:
    """Draws a run's pictures from G_ema, and keeps the snapshots that they were drawn from."""

    def __init__(self, run: Run, config: TrainConfig, compute: Compute, training: Training) -> None:
        self._run = run
        self._compute = compute
        self._training = training
        self._batch_size = config.batch_size
        self._seeds = config.grid_seeds
        self._z = z_of(self._seeds, config.z_dim)
        self._seeds_text = config.seeds
        noise = torch.randn(
            *RECALIBRATION, config.z_dim, generator=streams.generator(config.seed, "recalibration")
        )
        self._recalibration = noise.to(compute.device).unbind()

    def recalibrate(self) -> None:
        with self._compute.autocast():
            recalibrate(self._training.G_ema, self._recalibration)

    def draw_reals(self, pack: Pack, order: streams.DataOrder) -> None:
        indices = order.indices_at(1).tolist()[:64]
        sheet = grid(pack.batch(indices), square_columns(len(indices)))
        meta = {"kind": "reals", "dataset": pack.fingerprint, "indices": indices}
        save_png(self._run.reals, sheet, meta)

    def draw_latest(self) -> Path:
        """Draw latest.png from generator.safetensors, both made now; return the picture's path."""
        return self._draw(self._run.latest, self._run.generator)

    def draw_milestone(self) -> Path:
        """Draw a grid and a snapshot that are kept, and the timelines; return the grid's path."""
        step = self._training.step
        path = self._draw(self._run.grid(step), self._run.snapshot(step))
        self._draw_timelines()
        return path

    def _draw(self, picture: Path, snapshot: Path) -> Path:
        step, G_ema = self._training.step, self._training.G_ema
        digest = save_snapshot(snapshot, G_ema, step, step * self._batch_size)
        meta = {"kind": "grid", "seeds": self._seeds_text, "step": step, "snapshot": digest}
        save_png(picture, draw_grid(G_ema, self._z), meta)
        return picture

    def _draw_timelines(self) -> None:
        sheets: dict[int, Image.Image] = {}
        for step, path in self._run.grids().items():
            if step <= self._training.step:
                with Image.open(path) as sheet:
                    sheets[step] = sheet.convert("RGB")
        made_by = [read_png_meta(self._run.grid(step)) or {} for step in sheets]
        meta = {
            "kind": "timeline",
            "seeds": self._seeds_text,
            "steps": list(sheets),
            "snapshots": [each.get("snapshot") for each in made_by],
        }
        save_png(self._run.timeline, timeline(sheets, self._seeds), meta)
        frames = [caption(sheet, f"{step:,} updates") for step, sheet in sheets.items()]
        times = [1000] * (len(frames) - 1) + [3000]
        save_animation(self._run.timeline_gif, frames, times)
