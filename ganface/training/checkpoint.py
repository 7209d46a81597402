"""What a checkpoint holds: everything needed to go on training, in one file.

    G.*, D.*, G_ema.*            the networks
    opt_G.*, opt_D.*             each Adam's moments and step counts, by number of the parameter
    strength                     of the augmentation
    sums                         statistics gathered since the last line of stats.jsonl
    metadata                     step, settings, scaler, dataset fingerprint, versions

No random state is among them, for there is none (see `streams`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from ganface.config.settings import TrainConfig
from ganface.errors import NotANumber, UserError
from ganface.io.run import Run
from ganface.io.tensors import read_tensors, write_tensors
from ganface.latents import rng
from ganface.methods.gan import STATISTICS, Players
from ganface.models.dcgan import Discriminator, Generator, apply_spectral_norm, initialise
from ganface.models.snapshot import describe_generator
from ganface.system.device import Compute


@dataclass
class Training:
    """Everything that changes while training."""

    players: Players
    G_ema: Generator
    sums: Tensor  # float32 [len(STATISTICS)] on the device: sums since the last tick
    summed: int = 0  # updates in `sums`
    step: int = 0
    seconds: float = 0.0
    best: float | None = None  # the lowest score so far
    meta: dict[str, Any] = field(default_factory=dict)  # what stays the same all through the run


def start(config: TrainConfig, size: int, compute: Compute) -> Training:
    """A training at step 0: weights drawn from config.seed, G_ema equal to G.

    Raises UserError for a size that the networks cannot do.
    """
    G, G_ema = (
        Generator(size, config.z_dim, config.width, config.upsample, config.modulate)
        for _ in range(2)
    )
    D = Discriminator(size, config.width, config.norm)
    initialise(G, rng.generator(config.seed, "G"))
    initialise(D, rng.generator(config.seed, "D"))
    if config.spectral_norm:
        apply_spectral_norm(D, rng.generator(config.seed, "spectral norm"))
    G_ema.load_state_dict(G.state_dict())
    for network in (G, D, G_ema):
        # channels_last: the layout in which CPU and GPU kernels are fastest
        network.to(compute.device, memory_format=torch.channels_last)
    G_ema.eval().requires_grad_(False)

    def adam(network: nn.Module) -> Adam:
        return Adam(
            network.parameters(),
            torch.zeros((), device=compute.device),  # a rate that each update brings
            (config.beta1, config.beta2),
            fused=compute.device.type in ("cpu", "cuda"),
            capturable=compute.use_cuda_graph,
        )

    players = Players(
        G,
        D,
        adam(G),
        adam(D),
        compute.grad_scaler(),
        torch.tensor(1.0 if config.augment == "on" else 0.0, device=compute.device),
    )
    return Training(players, G_ema, torch.zeros(len(STATISTICS), device=compute.device))


def tensors_of(training: Training) -> dict[str, Tensor]:
    """Every tensor that an update changes, by its name in a checkpoint. They are not copied."""
    tensors = {"sums": training.sums, "strength": training.players.strength}
    for name, network in _networks(training).items():
        tensors |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
    for name, optimiser in _optimisers(training).items():
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}.{index}.{key}": value for key, value in state.items()}
    return tensors


def meta_of(training: Training) -> dict[str, Any]:
    """What a checkpoint holds beside the tensors."""
    return {
        **training.meta,
        "generator": describe_generator(training.G_ema),
        "step": training.step,
        "seconds": training.seconds,
        "best": training.best,
        "summed": training.summed,
        "scaler": training.players.scaler.state_dict(),
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


def restore(training: Training, meta: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Make `training` what it was when the checkpoint was saved."""
    for name, network in _networks(training).items():
        network.load_state_dict(_below(name, tensors))
    for name, optimiser in _optimisers(training).items():
        _restore_optimiser(optimiser, _below(name, tensors))
    training.players.scaler.load_state_dict(meta["scaler"])
    training.sums.copy_(tensors["sums"])
    training.players.strength.copy_(tensors["strength"])
    training.summed = meta["summed"]
    training.step = meta["step"]
    training.seconds = meta["seconds"]
    training.best = meta["best"]


def _restore_optimiser(optimiser: Adam, tensors: dict[str, Tensor]) -> None:
    """Moments take the memory layout of their parameters, which the fused kernel relies on."""
    groups = optimiser.state_dict()["param_groups"]
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        parameter = parameters[int(index)]
        if value.shape == parameter.shape:
            value = torch.empty_like(parameter).copy_(value)
        state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def _networks(training: Training) -> dict[str, nn.Module]:
    return {"G": training.players.G, "D": training.players.D, "G_ema": training.G_ema}


def _optimisers(training: Training) -> dict[str, Adam]:
    return {"opt_G": training.players.opt_G, "opt_D": training.players.opt_D}


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    prefix += "."
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


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
        return meta, tensors, complaints
    if complaints:
        raise UserError(f"{run.path}: no checkpoint is whole: {'; '.join(complaints)}")
    return None


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
