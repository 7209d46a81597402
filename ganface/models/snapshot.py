"""The snapshot: the networks that draw, in one small file that says how to build them.

    G.*, and those beside it, as E.*     the averaged networks
    D.*                                  D itself, where --keep-discriminator asked for it
    metadata                             their config, step, images seen

People share it. Of format 1 is a G alone, whose tensors have no prefix.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganface.config.architecture import SEES_IMAGES, DcganConfig
from ganface.errors import UserError
from ganface.io.tensors import read_tensors, write_tensors
from ganface.models.header import prefix_of, read_model_header
from ganface.models.registry import build_network, describe, read_description

if TYPE_CHECKING:
    from torch import Tensor

    from ganface.models.dcgan import DcganNetwork


def save_snapshot(
    path: Path,
    tensors: dict[str, Tensor],
    config: DcganConfig,
    step: int,
    images_seen: int,
    settings: dict[str, Any] | None = None,
) -> str:
    """Write the tensors, named as above; return the file's SHA-256, which pictures made from it
    carry. settings: of the training, without which D cannot be asked."""
    meta = {
        "generator": describe(config),
        "networks": sorted({name.partition(".")[0] for name in tensors}),
        "step": step,
        "images_seen": images_seen,
        **(settings or {}),
    }
    return write_tensors(path, "snapshot", tensors, meta)


def load_network(path: Path, role: str) -> tuple[DcganNetwork, dict[str, Any]]:
    """The averaged G or E of a snapshot or checkpoint, or the D that it holds, ready to use (eval
    mode, on the CPU), and the metadata.

    Raises UserError if the file is damaged, or holds none.
    """
    import torch

    header = read_model_header(path)
    config = read_description(header.meta["generator"])
    train = header.meta.get("train", {})
    if role != "G" and isinstance(train, dict):
        seeing = {name: train[name] for name in SEES_IMAGES if name in train}
        config = dataclasses.replace(config, **seeing)
    prefix = prefix_of(header.meta, role)
    with torch.device("meta"):  # shapes that take no memory
        expected = _built(role, config).state_dict()
    # Of format 1, without prefixes, a snapshot is a G alone
    there = below(prefix, header.tensors) if prefix or role == "G" else {}
    if not there:
        hint = "; a checkpoint does, or a snapshot by --keep-discriminator" if role == "D" else ""
        raise UserError(f"{path}: holds no {role}{hint}")
    dtypes = {torch.float32: "F32", torch.int64: "I64", torch.uint8: "U8"}
    if {n: (list(t.shape), dtypes[t.dtype]) for n, t in expected.items()} != {
        n: (t["shape"], t["dtype"]) for n, t in there.items()
    }:
        raise UserError(f"{path}: its tensors do not fit the {role} that it names")
    meta, tensors = read_tensors(path, header.meta["kind"])
    tensors = below(prefix, tensors)
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise UserError(f"{path}: cannot draw, for {name} holds what is not a number")
    network = _built(role, config)
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(False), meta


def _built(role: str, config: DcganConfig) -> DcganNetwork:
    """The network, with names and shapes of its tensors as training gives them."""
    import torch

    from ganface.models.dcgan import apply_spectral_norm

    network = build_network(role, config)
    if role == "D" and config.spectral_norm:
        apply_spectral_norm(network, torch.Generator("cpu"))
    return network


def holds(path: Path, role: str) -> bool:
    """Whether a snapshot or checkpoint has an average of that role, as G or E."""
    return role in read_model_header(path).meta.get("networks", ["G"])


def load_generator(path: str | Path) -> tuple[DcganNetwork, dict[str, Any]]:
    """`load_network` of G."""
    return load_network(Path(path), "G")


def below(prefix: str, named: dict[str, Any]) -> dict[str, Any]:
    """Those whose names begin with `prefix`, without it."""
    return {n.removeprefix(prefix): each for n, each in named.items() if n.startswith(prefix)}
