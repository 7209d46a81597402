"""What the sections of the page are made of: the images, the trainings, figures of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ganface.dataset.normalise import normalise
from ganface.dataset.order import held_out
from ganface.dataset.pack import Pack
from ganface.evaluation.drawn import DrawnImages, choose
from ganface.evaluation.evaluate import Evaluation, Figures, split_size
from ganface.evaluation.judging import Opinion, open_opinion
from ganface.io.run import Run, find_discriminator
from ganface.io.stats import read_lines
from ganface.io.tensors import read_header
from ganface.lecture.page import Picture, Text
from ganface.methods.base import Panel
from ganface.models.dcgan import DcganNetwork
from ganface.models.generate import generate, latents_of
from ganface.models.snapshot import load_network
from ganface.pictures.faces import origin
from ganface.pictures.plot import draw_plot
from ganface.pictures.png import save_png

STRANGERS = 20  # images from which on the held-out ones are enough
CHART = 640  # pixels that a chart is wide
MEASURED = 1000  # images on each side, if there are so many


@dataclass(frozen=True)
class Course:
    """One lecture on one dataset. Its trainings are done."""

    folder: Path
    pack: Pack
    device: torch.device

    def run(self, name: str) -> Run:
        return Run(runs_of(self.folder) / name)

    def last_step(self, name: str) -> int:
        """At which the training ended. Its milestones may have more: a killed one leaves those of a
        course that it did not take in the end."""
        step: int = read_header(self.run(name).generator, "snapshot").meta["step"]
        return step

    def network(self, name: str, role: str) -> DcganNetwork:
        """The average of that role, "G" or "E", at the end of the training of that name."""
        return load_network(self.run(name).generator, role)[0].to(self.device)

    def faces(self, name: str, seeds: Sequence[int]) -> Tensor:
        """uint8 [len(seeds), 3, S, S]"""
        G = self.network(name, "G")
        return generate(G, latents_of(G, seeds))

    @cached_property
    def opinion(self) -> Opinion:
        """The GAN's D."""
        return open_opinion(find_discriminator(self.run("gan").path), self.device)

    @cached_property
    def strangers(self) -> list[int]:
        """Indices of images that no network has learned from; of all, if those are few."""
        apart = held_out(len(self.pack))
        return [*(apart if len(apart) >= STRANGERS else range(len(self.pack)))]

    @cached_property
    def evaluation(self) -> Evaluation:
        count = split_size(MEASURED, MEASURED, len(self.pack))
        return Evaluation(self.pack, count, self.device)

    def measure(self, snapshot: Path) -> Figures:
        """The figures of the faces that a snapshot draws, measured once."""
        if snapshot not in self._measured:
            G = load_network(snapshot, "G")[0].to(self.device)
            count = self.evaluation.count
            figures, _ = self.evaluation.measure(DrawnImages(G, count), range(count))
            self._measured[snapshot] = figures
        return self._measured[snapshot]

    @cached_property
    def _measured(self) -> dict[Path, Figures]:
        return {}

    def sample_reals(self, count: int) -> Tensor:
        """uint8 [up to count, 3, S, S]: real images by chance, the same every time."""
        return self.pack.batch(choose(self.pack, count))

    def save(
        self, name: str, image: Image.Image, caption: Text, *drawn_by: str, chart: bool = False
    ) -> Picture:
        """Write a picture of the page as a PNG beside it; drawn_by: the trainings whose networks
        drew in it. Raises CannotWriteError."""
        path = self.folder / "pictures" / f"{name}.png"
        made_by = {each: origin(read_header(self.run(each).generator).meta) for each in drawn_by}
        meta = {"kind": "lecture", "name": name, "dataset": self.pack.fingerprint}
        save_png(path, image, {**meta, "models": made_by})
        return Picture(path, caption, chart)

    @torch.inference_mode()
    def encode(self, name: str, images: Tensor) -> Tensor:
        """The codes [N, z_dim] that E gives for uint8 [N, 3, S, S]; of a VAE their means."""
        E = self.network(name, "E")
        unflipped = torch.zeros(len(images), dtype=torch.bool)
        parts = normalise(images, unflipped).split(PART)
        return torch.cat([E(part.to(self.device)).cpu() for part in parts])

    def decode(self, name: str, codes: Tensor) -> Tensor:
        """uint8 [N, 3, S, S]"""
        return generate(self.network(name, "G"), codes)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Of the training's stats.jsonl."""
        return read_lines(self.run(name).stats)


PART = 250  # images that are computed at once


def runs_of(folder: Path) -> Path:
    """Where a lecture's trainings are."""
    return folder / "runs"


def draw_curves(lines: Sequence[dict[str, Any]], panels: Sequence[Panel]) -> Image.Image:
    """A method's panels of these lines of stats.jsonl, without the scores: of a short training
    there are one or two, which is no curve."""
    lines = [{name: value for name, value in line.items() if name != "score"} for line in lines]
    return draw_plot(lines, panels, CHART)


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """Between uint8 images [N, 3, S, S], of each pair: float32 [N], for values in [-1, 1]."""
    return ((a.float() - b.float()) / 127.5).square().flatten(1).mean(1)
