"""The pictures of a run: rendered where the training goes on, drawn and written beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from torch import Tensor, nn

from ganface.dataset.order import DataOrder
from ganface.dataset.pack import Pack
from ganface.errors import UserError
from ganface.evaluation.score import FACES, Scorer
from ganface.io.run import Run
from ganface.methods.base import Method, Sheet, TrainState
from ganface.methods.probe import Probe
from ganface.methods.verdict import is_best
from ganface.models.generate import generate_on_device, latents_of
from ganface.models.snapshot import save_snapshot
from ganface.pictures.animation import glide, save_animation
from ganface.pictures.face_size import FILM, GAP, choose_scale, describe_scale
from ganface.pictures.grid import caption, evenly, grid, square_columns, timeline
from ganface.pictures.png import meta_of, open_png, save_png
from ganface.training.checkpoint import require_finite
from ganface.training.config import TrainConfig
from ganface.training.display import Display
from ganface.training.writer import HostCopy, Writer

IN_TIMELINE = 30  # milestones: each is read again and drawn anew whenever there is another one
STAYS, LAST_STAYS = 1000, 3000  # milliseconds of timeline.gif


class SnapshotWriter:
    """Draws a run's pictures from G_ema, and keeps the snapshots that they were drawn from."""

    def __init__(
        self,
        run: Run,
        pack: Pack,
        display: Display,
        writer: Writer,
        config: TrainConfig,
        method: Method,
        state: TrainState,
        probe: Probe,
    ) -> None:
        self._run = run
        self._pack = pack
        self._display = display
        self._writer = writer
        self._config = config
        self._method = method
        self._state = state
        self._probe = probe
        G, device = state.ema["G"], method.compute.device
        self._latents = latents_of(G, config.schedule.grid_seeds).to(device)
        self._latents_scored = latents_of(G, range(FACES)).to(device)

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self._pack, self._method.compute.device)

    def draw_reals(self) -> None:
        config = self._config
        order = DataOrder(config.schedule.seed, len(self._pack), config.optimizer.batch_size)
        indices = order.indices_at(1).tolist()[:64]
        meta = {"kind": "reals", "dataset": self._pack.fingerprint, "indices": indices}
        _save_sheet(self._run.reals, self._pack.batch(indices), square_columns(len(indices)), meta)

    def draw_latest(self) -> None:
        """Draw latest.png from generator.safetensors, both made now."""
        picture = self._run.latest
        self._draw(picture, self._run.generator, lambda: self._display.picture(picture))

    def draw_milestone(self) -> None:
        """Draw a grid and a snapshot that are kept, and the timelines."""
        step = self._state.step
        picture = self._run.grid(step)

        def finish() -> None:
            self._draw_timelines(step)
            self._display.milestone(step, picture)

        digest = self._draw(picture, self._run.snapshot(step), finish)
        for name, sheet in self._method.pictures(self._state, self._probe).items():
            self._draw_sheet(name, sheet, digest)

    def keep_best(self) -> Future[float]:
        """Score G_ema, and keep a snapshot of it if `is_best`: both beside the training.

        Returns the score, which is there for every job after it.
        """
        state, step, scorer = self._state, self._state.step, self._scorer
        described = scorer.extract_features(
            generate_on_device(state.ema["G"], self._latents_scored)
        )

        def keep(tensors: dict[str, Tensor]) -> float:
            require_finite(tensors, step)
            score = scorer.score({name: tensors.pop(name) for name in described})
            if is_best(score, state.lowest):
                self._save_snapshot(self._run.best, tensors, step)
            if state.lowest is None or score < state.lowest:
                state.lowest = score
                self._display.note(f"the lowest score so far, {score:.1f}: step {step:,}")
            return score

        return self._writer.submit(HostCopy({**described, **self._kept()}), keep)

    def _draw(self, picture: Path, snapshot: Path, finish: Callable[[], None]) -> Future[str]:
        """Draw a grid and keep its snapshot, whose SHA-256 is there for every job after it."""
        step = self._state.step
        meta = {"kind": "grid", "seeds": self._config.schedule.seeds, "step": step}

        def save(tensors: dict[str, Tensor]) -> str:
            require_finite(tensors, step)
            faces = tensors.pop("faces")
            digest = self._save_snapshot(snapshot, tensors, step)
            _save_sheet(picture, faces, square_columns(len(faces)), {**meta, "snapshot": digest})
            finish()
            return digest

        faces = generate_on_device(self._state.ema["G"], self._latents)
        return self._writer.submit(HostCopy({"faces": faces, **self._kept()}), save)

    def _draw_sheet(self, name: str, sheet: Sheet, digest: Future[str]) -> None:
        step, path = self._state.step, self._run.sheet(name, self._state.step)
        meta = {"kind": name, "step": step, "dataset": self._pack.fingerprint}

        def save(tensors: dict[str, Tensor]) -> None:
            made_by = {**meta, "snapshot": digest.result()}
            _save_sheet(path, tensors["images"], sheet.columns, made_by)
            self._display.note(f"drew {path}")

        self._writer.submit(HostCopy({"images": sheet.images}), save)

    def _kept(self) -> dict[str, Tensor]:
        """The tensors of a snapshot."""
        networks: dict[str, nn.Module] = dict(self._state.ema)
        if self._config.schedule.keep_discriminator and "D" in self._state.networks:
            networks["D"] = self._state.networks["D"]
        return {
            f"{name}.{key}": value
            for name, network in networks.items()
            for key, value in network.state_dict().items()
        }

    def _save_snapshot(self, path: Path, tensors: dict[str, Tensor], step: int) -> str:
        images_seen = step * self._config.images_per_step
        asked = {name: self._state.meta[name] for name in ("build", "train")}
        settings = asked if self._config.schedule.keep_discriminator else {}
        architecture = self._method.architecture
        return save_snapshot(path, tensors, architecture, step, images_seen, settings)

    def _draw_timelines(self, last: int) -> None:
        sheets, snapshots = {}, []
        grids = [(step, path) for step, path in self._run.grids().items() if step <= last]
        for step, path in [grids[place] for place in evenly(len(grids), IN_TIMELINE)]:
            try:
                picture = open_png(path)
            except UserError as error:
                self._display.note(f"{error}; left out of the timeline")
                continue
            sheet, made_by = picture.convert("RGB"), meta_of(picture) or {}
            # Those of an older ganface are at G's own size, and have a border
            sheets[step] = sheet if "scale" in made_by else ImageOps.crop(sheet, GAP)
            snapshots.append(made_by.get("snapshot"))
        schedule = self._config.schedule
        meta = {
            "kind": "timeline",
            "seeds": schedule.seeds,
            "steps": list(sheets),
            "snapshots": snapshots,
        }
        save_png(self._run.timeline, timeline(sheets, schedule.grid_seeds), meta)
        largest = max(sheets.values(), key=lambda sheet: sheet.width)
        size = largest.reduce(math.ceil(max(largest.size) / FILM)).size
        pictures = [
            caption(sheet.resize(size, Image.Resampling.LANCZOS), f"{step:,} updates")
            for step, sheet in sheets.items()
        ]
        save_animation(self._run.timeline_gif, *glide(pictures, STAYS, LAST_STAYS), meta)


def _save_sheet(path: Path, images: Tensor, columns: int, meta: dict[str, Any]) -> None:
    """Write uint8 [N, 3, S, S] as a grid, at the size that `sample` would draw it."""
    scale = choose_scale(images.shape[-1], columns, -(-len(images) // columns))
    save_png(path, grid(images, columns, scale), {**meta, **describe_scale(scale)})
