"""What a discriminator says of images: the lecture's scalar under each face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganface.config.dataset import BuildConfig
from ganface.dataset.images import read_images
from ganface.dataset.normalise import normalise
from ganface.errors import UserError
from ganface.latents.latents import choose_latents
from ganface.losses.adversarial import LOSSES
from ganface.models.dcgan import DcganNetwork
from ganface.models.generate import BATCH, generate, latents_of
from ganface.models.snapshot import load_network
from ganface.pictures.face_size import describe_scale
from ganface.pictures.faces import open_generator, origin
from ganface.pictures.grid import captioned, choose_grid_scale, evenly, shorten
from ganface.pictures.png import save_png

AGAINST = range(256)  # seeds of the faces that images are compared with, where the loss does so
SHOWN = 64  # images in the picture


class Answer(NamedTuple):
    """D's answer for one image."""

    name: str
    logit: float
    # D(x): that the image is real or, where the loss only compares, more real than G's on average
    probability: float


@dataclass(frozen=True)
class Opinion:
    """A D that is asked about images."""

    D: DcganNetwork
    threshold: float  # the logit of what it finds neither real nor not
    build: BuildConfig  # how images are to be made ready for it
    meta: dict[str, Any]  # of the file

    def logits(self, images: Tensor) -> Tensor:
        """D's answers for uint8 [N, 3, S, S]: float32 [N], on the CPU."""
        return logits_of(self.D, images)

    def probability(self, logits: Tensor) -> Tensor:
        """D(x), between 0 and 1, of these logits."""
        return (logits - self.threshold).sigmoid()


def judge(
    checkpoint: Path,
    device: torch.device,
    paths: Sequence[Path],
    seeds: str | None,
    latents: Path | None,
    picture: Path,
    asked: float | None = None,
) -> tuple[list[Answer], dict[str, Any]]:
    """The answers of a checkpoint's D, the realest first; and which checkpoint it was.

    paths: see `dataset.images.read_images`; seeds or latents: of faces that its G draws, judged as
    well; picture: the PNG to write, with SHOWN of them at most, evenly chosen; asked: see
    `pictures.face_size.choose_scale`.
    Raises UserError if the file has no D or is damaged, and if there is no image; CannotWriteError.
    """
    opinion = open_opinion(checkpoint, device)
    named = list(read_images(paths, opinion.build))
    if seeds is not None or latents is not None:
        G, meta = open_generator(checkpoint, device)
        chosen = choose_latents(seeds, latents, G, meta)
        named += zip((each.name for each in chosen.titles), generate(G, chosen.points), strict=True)
    if not named:
        raise UserError("no image that can be judged")
    names, images = [name for name, _ in named], torch.stack([image for _, image in named])
    del named
    places = evenly(len(images), SHOWN)
    scale = choose_grid_scale(images.shape[-1], len(places), asked)
    logits = opinion.logits(images)

    order = logits.argsort(descending=True, stable=True).tolist()
    probabilities = opinion.probability(logits)
    answers = [Answer(names[i], logits[i].item(), probabilities[i].item()) for i in order]
    shown = [answers[place] for place in places]
    sheet = captioned(
        images[[order[place] for place in places]],
        [
            f"{shorten(each.name, f'image {number}')}\n{each.probability:.2f} ({each.logit:+.1f})"
            for number, each in enumerate(shown)
        ],
        scale=scale,
    )
    made_by = origin(opinion.meta)
    described = [each._asdict() for each in shown]
    meta = {"kind": "judged", "images": described, **made_by, **describe_scale(scale)}
    save_png(picture, sheet, meta)
    return answers, made_by


def open_opinion(checkpoint: Path, device: torch.device) -> Opinion:
    """The D of a checkpoint, on `device`. Raises UserError if the file has none, or is damaged."""
    D, meta = load_network(checkpoint, "D")
    D.to(device).to(memory_format=torch.channels_last)
    try:
        build = BuildConfig.stored({**meta["build"], "size": D.config.size})
        train = meta["train"]
        # The D of every other method learns from the one loss
        loss = train["loss"] if train.get("method", "gan") == "gan" else "ns"
        threshold = LOSSES[loss].threshold
    except (KeyError, TypeError) as error:
        raise UserError(f"{checkpoint}: does not say how its D was trained") from error
    if threshold is None:
        G, _ = open_generator(checkpoint, device)
        threshold = logits_of(D, generate(G, latents_of(G, AGAINST))).mean().item()
    return Opinion(D, threshold, build, meta)


@torch.inference_mode()
def logits_of(D: nn.Module, images: Tensor) -> Tensor:
    """D's answers for uint8 [N, 3, size, size]: float32 [N], on the CPU."""
    device = next(D.parameters()).device
    unflipped = torch.zeros(BATCH, dtype=torch.bool)
    parts = (normalise(part, unflipped[: len(part)]) for part in images.split(BATCH))
    return torch.cat([D(part.to(device)).cpu() for part in parts])
