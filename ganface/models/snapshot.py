"""The snapshot: G_ema alone in one small file that says how to build it. People share it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganface.errors import UserError
from ganface.io.tensors import read_tensors, write_tensors
from ganface.models.dcgan import Generator
from ganface.models.header import ARCHITECTURE, PREFIXES, read_model_header

if TYPE_CHECKING:
    from torch import Tensor


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
    return write_tensors(path, "snapshot", tensors, meta)


def load_generator(path: Path) -> tuple[Generator, dict[str, Any]]:
    """G_ema of a snapshot or checkpoint, ready to draw (eval mode, on the CPU), and the metadata.

    Raises UserError if the file is damaged or holds something else.
    """
    read_model_header(path)
    meta, tensors = read_tensors(path, *PREFIXES)
    prefix = PREFIXES[meta["kind"]]
    tensors = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise UserError(f"{path}: cannot draw, for {name} holds what is not a number")
    described = {key: value for key, value in meta["generator"].items() if key != "architecture"}
    G = Generator(**described)
    G.load_state_dict(tensors)
    return G.eval().requires_grad_(False), meta
