"""What a discriminator says of images: the lecture's scalar under each face."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganface.config.dataset import BuildConfig
from ganface.dataset.decode import SUFFIXES, BadImageError, decode
from ganface.dataset.pack import Pack, is_pack
from ganface.dataset.sources import list_source, read_image
from ganface.errors import UserError
from ganface.io.console import say
from ganface.io.run import Run
from ganface.latents.seeds import z_of
from ganface.losses.adversarial import LOSSES
from ganface.models.generate import BATCH, generate
from ganface.models.snapshot import load_network

AGAINST = range(256)  # seeds of the faces that images are compared with, where the loss does so


class Answer(NamedTuple):
    """D's answer for one image."""

    name: str
    logit: float
    probability: (
        float  # D(x): that it is real; where the loss only compares, more so than G's faces
    )


def find_discriminator(model: Path) -> Path:
    """Of a run directory the newest checkpoint; or the file. Raises UserError if there is none."""
    if not model.is_dir():
        return model
    checkpoints = Run(model).checkpoints()
    if not checkpoints:
        raise UserError(f"{model}: has no checkpoint, which alone keeps D")
    return checkpoints[max(checkpoints)]


def read_images(paths: Iterable[Path], config: BuildConfig) -> Iterator[tuple[str, Tensor]]:
    """The name of each image, and uint8 [3, size, size]: of image files, folders, zips and packs.

    What cannot be read is said on stderr. Raises UserError for what holds no images.
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
            named = [(f"{path}/{name}", path, name) for name in list_source(path).images]
        for shown, source, name in named:
            try:
                image = decode(read_image(source, name), config)
            except BadImageError as error:
                say(f"{shown}: left out: {error}")
                continue
            pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
            yield shown, pixels.view(config.size, config.size, 3).permute(2, 0, 1).contiguous()


def judge_images(
    checkpoint: Path, device: torch.device, paths: Sequence[Path], seeds: Sequence[int]
) -> tuple[list[Answer], Tensor, dict[str, Any]]:
    """The answers of a checkpoint's D, the realest first; the images, uint8 [N, 3, size, size], in
    the same order; and the checkpoint's metadata.

    paths: see `read_images`; seeds: of faces that its G draws, judged as well.
    Raises UserError if the file has no D or is damaged, and if there is no image.
    """
    D, meta = load_network(checkpoint, "D")
    G, _ = load_network(checkpoint, "G")
    for network in (D, G):
        network.to(device).to(memory_format=torch.channels_last)
    build: dict[str, Any] = {**meta["build"], "size": D.config.size}
    named = list(read_images(paths, BuildConfig.stored(build)))
    if seeds:
        faces = generate(G, z_of(seeds, G.config.z_dim))
        named += zip((f"seed {seed}" for seed in seeds), faces, strict=True)
    if not named:
        raise UserError("no image that can be judged")
    images = torch.stack([image for _, image in named])
    logits = logits_of(D, images)
    threshold = LOSSES[meta["train"]["loss"]].threshold
    if threshold is None:  # a loss that only compares
        threshold = logits_of(D, generate(G, z_of(AGAINST, G.config.z_dim))).mean().item()
    order = logits.argsort(descending=True, stable=True)
    answers = [
        Answer(named[i][0], logits[i].item(), (logits[i] - threshold).sigmoid().item())
        for i in order.tolist()
    ]
    return answers, images[order], meta


@torch.inference_mode()
def logits_of(D: nn.Module, images: Tensor) -> Tensor:
    """D's answers for uint8 [N, 3, size, size]: float32 [N], on the CPU."""
    device, layout = next(D.parameters()).device, torch.channels_last
    parts = [part.to(device).float() / 127.5 - 1 for part in images.split(BATCH)]
    return torch.cat([D(part.contiguous(memory_format=layout)).cpu() for part in parts])
