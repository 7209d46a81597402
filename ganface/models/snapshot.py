"""The snapshot: G_ema alone in one small file that says how to build it. People share it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganface import files
from ganface.errors import UserError
from ganface.models.dcgan import Generator

if TYPE_CHECKING:
    from torch import Tensor

ARCHITECTURE = "dcgan"


def describe_generator(G: Generator) -> dict[str, Any]:
    """What `load_generator` needs beside the tensors to build G again."""
    return {
        "architecture": ARCHITECTURE,
        "size": G.size,
        "z_dim": G.z_dim,
        "width": G.width,
        "upsample": G.upsample,
        "modulate": G.modulate,
    }


def save_snapshot(
    path: Path, tensors: dict[str, Tensor], described: dict[str, Any], step: int, images_seen: int
) -> str:
    """Write the tensors of G_ema; return the file's SHA-256, which pictures made from it carry.

    `described`: what `describe_generator` says of G_ema.
    """
    meta = {"generator": described, "step": step, "images_seen": images_seen}
    return files.write(path, "snapshot", tensors, meta)


def load_generator(path: Path) -> tuple[Generator, dict[str, Any]]:
    """G_ema of a snapshot or checkpoint, ready to draw (eval mode, on the CPU), and the metadata.

    Raises UserError if the file is damaged or holds something else.
    """
    meta, tensors = files.read(path, "snapshot", "checkpoint")
    if meta["kind"] == "checkpoint":
        prefix = "G_ema."
        tensors = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    try:
        described = dict(meta["generator"])
        if described.pop("architecture") != ARCHITECTURE:
            raise UserError(f"{path}: its generator is of a kind that this ganface cannot draw")
        G = Generator(**described)
        G.load_state_dict(tensors)
    except (KeyError, TypeError, RuntimeError) as error:
        raise UserError(f"{path}: its tensors do not fit the generator that it names") from error
    return G.eval().requires_grad_(False), meta
