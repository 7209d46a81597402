"""What a discriminator says of images: the lecture's scalar under each face."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganface.config.dataset import BuildConfig
from ganface.dataset.decode import SUFFIXES, BadImageError, decode
from ganface.dataset.normalise import normalise
from ganface.dataset.pack import Pack, is_pack
from ganface.dataset.sources import list_source, read_image
from ganface.errors import UserError
from ganface.io.console import one_line, say
from ganface.io.run import Run
from ganface.latents.latents import choose_latents
from ganface.losses.adversarial import LOSSES
from ganface.models.dcgan import DcganNetwork
from ganface.models.generate import BATCH, generate, latents_of
from ganface.models.snapshot import load_network
from ganface.pictures.faces import open_generator, origin
from ganface.pictures.grid import captioned
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


def find_discriminator(model: Path) -> Path:
    """Of a run directory the newest checkpoint; or the file. Raises UserError if there is none."""
    if not model.is_dir():
        return model
    checkpoint = Run(model).newest_checkpoint()
    if checkpoint is None:
        raise UserError(f"{model}: has no checkpoint, which alone keeps D")
    return checkpoint


def judge(
    checkpoint: Path,
    device: torch.device,
    paths: Sequence[Path],
    seeds: str | None,
    latents: Path | None,
    picture: Path,
) -> tuple[list[Answer], dict[str, Any]]:
    """The answers of a checkpoint's D, the realest first; and which checkpoint it was.

    paths: see `read_images`; seeds or latents: of faces that its G draws, judged as well; picture:
    the PNG to write, with SHOWN of them at most, evenly chosen.
    Raises UserError if the file has no D or is damaged, and if there is no image; CannotWriteError.
    """
    opinion = open_opinion(checkpoint, device)
    named = list(read_images(paths, opinion.build))
    if seeds is not None or latents is not None:
        G, meta = open_generator(checkpoint, device)
        chosen = choose_latents(seeds, latents, G, meta)
        named += zip((each.name for each in chosen.labels), generate(G, chosen.points), strict=True)
    if not named:
        raise UserError("no image that can be judged")
    names, images = [name for name, _ in named], torch.stack([image for _, image in named])
    del named
    logits = opinion.logits(images)

    order = logits.argsort(descending=True, stable=True).tolist()
    probabilities = opinion.probability(logits)
    answers = [Answer(names[i], logits[i].item(), probabilities[i].item()) for i in order]
    places = evenly(len(order), SHOWN)
    shown = [answers[place] for place in places]
    sheet = captioned(
        images[[order[place] for place in places]],
        [f"{each.probability:.2f} ({each.logit:+.1f})" for each in shown],
    )
    made_by = origin(opinion.meta)
    described = [each._asdict() for each in shown]
    save_png(picture, sheet, {"kind": "judged", "images": described, **made_by})
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


def read_images(paths: Iterable[Path], config: BuildConfig) -> Iterator[tuple[str, Tensor]]:
    """The name of each image, and uint8 [3, size, size]: of image files, folders, zips and packs.

    What was meant to be an image and cannot be read is said on stderr. Raises UserError for what
    holds no images.
    """
    for path in paths:
        if path.is_file() and path.suffix.lower() in SUFFIXES:
            named = [(str(path), path.parent, path.name)]
        elif is_pack(path):
            pack = Pack(path)
            if pack.size != config.size:
                raise UserError(f"{path}: its images are of {pack.size} pixels, not {config.size}")
            yield from ((f"{path}, image {i}", pack.batch([i])[0]) for i in range(len(pack)))
            continue
        else:
            listing = list_source(path)
            named = [(f"{path}/{name}", path, name) for name in listing.images]
            if listing.bad:
                say(f"{path}: {listing.bad} left out that cannot be read")
        for shown, source, name in named:
            try:
                yield shown, read_pixels(source, name, config)
            except BadImageError as error:
                say(one_line(f"{shown}: left out: {error}"))


def read_pixels(source: Path, name: str, config: BuildConfig) -> Tensor:
    """A listed image of a folder or zip: uint8 [3, size, size]. Raises BadImageError."""
    image = decode(read_image(source, name), config)
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return pixels.view(config.size, config.size, 3).permute(2, 0, 1).contiguous()


@torch.inference_mode()
def logits_of(D: nn.Module, images: Tensor) -> Tensor:
    """D's answers for uint8 [N, 3, size, size]: float32 [N], on the CPU."""
    device = next(D.parameters()).device
    unflipped = torch.zeros(BATCH, dtype=torch.bool)
    parts = (normalise(part, unflipped[: len(part)]) for part in images.split(BATCH))
    return torch.cat([D(part.to(device)).cpu() for part in parts])


def evenly(count: int, most: int) -> list[int]:
    """All of `count` places, or `most` of them from the first to the last."""
    if count <= most:
        return [*range(count)]
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]
