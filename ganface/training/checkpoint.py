"""What a checkpoint holds: everything needed to go on training, in one file.

    G.*, D.*, G_ema.*, …     the networks (and codes.*, of images), and the averages that draw
    opt_G.*, opt_D.*, …      each Adam's moments and step counts, by number of the parameter
    augment_p, sums, …       what else the method changes, and metrics since the last tick
    metadata                 step, settings, scaler, dataset fingerprint, versions

No random state is among them, for there is none (see `latents.rng`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from ganface.config.architecture import DcganConfig
from ganface.errors import NotANumber, UserError
from ganface.io.run import Run
from ganface.io.tensors import read_tensors, write_tensors
from ganface.methods.base import TrainState
from ganface.models.registry import describe
from ganface.models.snapshot import below


def tensors_of(state: TrainState) -> dict[str, Tensor]:
    """Every tensor that an update changes, by its name in a checkpoint. They are not copied."""
    tensors = dict(state.tensors)
    for name, network in networks_of(state).items():
        tensors |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
    for name, optimizer in state.optimizers.items():
        for index, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"opt_{name}.{index}.{key}": value for key, value in moments.items()}
    return tensors


def networks_of(state: TrainState) -> dict[str, nn.Module]:
    """Networks and averages by their names in a checkpoint."""
    return {**state.networks, **{f"{name}_ema": network for name, network in state.ema.items()}}


def meta_of(state: TrainState, architecture: DcganConfig) -> dict[str, Any]:
    """What a checkpoint holds beside the tensors."""
    return {
        **state.meta,
        "generator": describe(architecture),
        "networks": sorted(state.ema),
        "step": state.step,
        "seconds": state.seconds,
        "best": state.lowest,
        "summed": state.summed,
        "scaler": state.scaler.state_dict(),
    }


def require_finite(tensors: dict[str, Tensor], step: int) -> None:
    """Raise NotANumber unless every entry of every tensor is a number, and finite."""
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise NotANumber(f"not a number: at step {step}, in {name}")


def save_checkpoint(path: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    """Raises NotANumber, and writes nothing, if the training is beyond repair."""
    require_finite(tensors, meta["step"])
    write_tensors(path, "checkpoint", tensors, meta)


def restore(state: TrainState, meta: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Make `state` what it was when the checkpoint was saved."""
    for name, network in networks_of(state).items():
        network.load_state_dict(below(f"{name}.", tensors))
    for name, optimizer in state.optimizers.items():
        _restore_optimizer(optimizer, below(f"opt_{name}.", tensors))
    for name, tensor in state.tensors.items():
        tensor.copy_(tensors[name])
    state.scaler.load_state_dict(meta["scaler"])
    state.summed = meta["summed"]
    state.step = meta["step"]
    state.seconds = meta["seconds"]
    state.lowest = meta["best"]


def _restore_optimizer(optimizer: Adam, tensors: dict[str, Tensor]) -> None:
    """Moments take the memory layout of their parameters, which the fused kernel relies on."""
    groups = optimizer.state_dict()["param_groups"]
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        parameter = parameters[int(index)]
        if value.shape == parameter.shape:
            value = torch.empty_like(parameter).copy_(value)
        moments.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": moments, "param_groups": groups})


def newest_good(run: Run) -> tuple[dict[str, Any], dict[str, Tensor], list[str]] | None:
    """The newest checkpoint that is whole: (metadata, tensors, what was passed over).

    None if the run has none at all. Raises UserError if it has some, and all are damaged.
    """
    complaints: list[str] = []
    for path in reversed(run.checkpoints().values()):
        try:
            meta, tensors = read_tensors(path, "checkpoint")
        except UserError as error:
            complaints.append(f"{error}; it is passed over")
            continue
        return meta, upgrade(meta, tensors), complaints
    if complaints:
        raise UserError(f"{run.path}: no checkpoint is whole: {'; '.join(complaints)}")
    return None


def upgrade(meta: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a checkpoint of any format under the names that they have now."""
    if meta["version"] == 1 and "strength" in tensors:
        tensors["augment_p"] = tensors.pop("strength")
    if "G.steps" in tensors:  # older files hold it in the network alone
        tensors.setdefault("ascent_steps", tensors["G.steps"])
    return tensors


def set_aside(run: Run, step: int) -> None:
    """Give checkpoints past `step`, which were passed over, names that are none of a checkpoint.

    They would be counted among those to keep, and protect nothing.
    """
    for saved, path in run.checkpoints().items():
        if saved > step:
            path.replace(path.with_suffix(".set-aside"))


def remove_old(run: Run, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints."""
    for path in list(run.checkpoints().values())[:-keep]:
        path.unlink()
