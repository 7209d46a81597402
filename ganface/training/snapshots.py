"""The pictures of a run: rendered where the training goes on, drawn and written beside it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from ganface.config.settings import TrainConfig
from ganface.dataset.order import DataOrder
from ganface.dataset.pack import Pack
from ganface.errors import UserError
from ganface.evaluation.score import FACES, Scorer
from ganface.io.run import Run
from ganface.latents import rng
from ganface.latents.seeds import z_of
from ganface.models.generate import generate_on_device
from ganface.models.snapshot import describe_generator, save_snapshot
from ganface.pictures.animation import save_animation
from ganface.pictures.grid import caption, grid, square_columns, timeline
from ganface.pictures.png import open_png, read_png_meta, save_png
from ganface.system.device import Compute
from ganface.training.checkpoint import Training, require_finite
from ganface.training.ema import recalibrate
from ganface.training.progress import Display
from ganface.training.writer import HostCopy, Writer

RECALIBRATION = (16, 64)  # batches, faces in each, for G_ema's BatchNorm statistics


class SnapshotWriter:
    """Draws a run's pictures from G_ema, and keeps the snapshots that they were drawn from."""

    def __init__(
        self,
        run: Run,
        pack: Pack,
        display: Display,
        writer: Writer,
        config: TrainConfig,
        compute: Compute,
        training: Training,
    ) -> None:
        self._run = run
        self._pack = pack
        self._display = display
        self._writer = writer
        self._config = config
        self._compute = compute
        self._training = training
        self._z = z_of(config.grid_seeds, config.z_dim).to(compute.device)
        self._z_scored = z_of(range(FACES), config.z_dim).to(compute.device)
        noise = torch.randn(
            *RECALIBRATION, config.z_dim, generator=rng.generator(config.seed, "recalibration")
        )
        self._recalibration = noise.to(compute.device).unbind()

    def recalibrate(self) -> None:
        with self._compute.autocast():
            recalibrate(self._training.G_ema, self._recalibration)

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self._pack, self._compute.device)

    def draw_reals(self) -> None:
        order = DataOrder(self._config.seed, len(self._pack), self._config.batch_size)
        indices = order.indices_at(1).tolist()[:64]
        sheet = grid(self._pack.batch(indices), square_columns(len(indices)))
        meta = {"kind": "reals", "dataset": self._pack.fingerprint, "indices": indices}
        save_png(self._run.reals, sheet, meta)

    def draw_latest(self) -> None:
        """Draw latest.png from generator.safetensors, both made now."""
        picture = self._run.latest
        self._draw(picture, self._run.generator, lambda: self._display.picture(picture))

    def draw_milestone(self) -> None:
        """Draw a grid and a snapshot that are kept, and the timelines."""
        step = self._training.step
        picture = self._run.grid(step)

        def finish() -> None:
            self._draw_timelines(step)
            self._display.milestone(picture)

        self._draw(picture, self._run.snapshot(step), finish)

    def keep_best(self) -> Future[float]:
        """Score G_ema, and keep a snapshot of it if no score was lower: both beside the training.

        Returns the score, which is there for every job after it.
        """
        training, G_ema, step = self._training, self._training.G_ema, self._training.step
        scorer = self._scorer
        described = scorer.describe(generate_on_device(G_ema, self._z_scored))

        def keep(tensors: dict[str, Tensor]) -> float:
            require_finite(tensors, step)
            score = scorer.score({name: tensors.pop(name) for name in described})
            if training.best is None or score < training.best:
                images_seen = step * self._config.images_per_step
                save_snapshot(self._run.best, tensors, describe_generator(G_ema), step, images_seen)
                training.best = score
                self._display.note(f"the best so far, with a score of {score:.1f}: step {step:,}")
            return score

        return self._writer.submit(HostCopy({**described, **G_ema.state_dict()}), keep)

    def _draw(self, picture: Path, snapshot: Path, finish: Callable[[], None]) -> None:
        step, G_ema = self._training.step, self._training.G_ema
        meta = {"kind": "grid", "seeds": self._config.seeds, "step": step}

        def save(tensors: dict[str, Tensor]) -> None:
            require_finite(tensors, step)
            faces = tensors.pop("faces")
            sheet = grid(faces, square_columns(len(faces)))
            images_seen = step * self._config.images_per_step
            digest = save_snapshot(snapshot, tensors, describe_generator(G_ema), step, images_seen)
            save_png(picture, sheet, {**meta, "snapshot": digest})
            finish()

        faces = generate_on_device(G_ema, self._z)
        self._writer.submit(HostCopy({"faces": faces, **G_ema.state_dict()}), save)

    def _draw_timelines(self, last: int) -> None:
        sheets = {}
        for step, path in self._run.grids().items():
            if step <= last:
                try:
                    sheets[step] = open_png(path).convert("RGB")
                except UserError as error:
                    self._display.note(f"{error}; left out of the timeline")
        made_by = [read_png_meta(self._run.grid(step)) or {} for step in sheets]
        meta = {
            "kind": "timeline",
            "seeds": self._config.seeds,
            "steps": list(sheets),
            "snapshots": [each.get("snapshot") for each in made_by],
        }
        save_png(self._run.timeline, timeline(sheets, self._config.grid_seeds), meta)
        frames = [caption(sheet, f"{step:,} updates") for step, sheet in sheets.items()]
        times = [1000] * (len(frames) - 1) + [3000]
        save_animation(self._run.timeline_gif, frames, times)
