"""--init-from: a training that begins with the networks of another one.

A few hundred images are too few to learn from nothing what a face is. Networks that know it from
other faces need only learn what is particular to these: Wang et al. 2018, "Transferring GANs:
generating images from limited data" (arXiv:1805.01677).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganface.config.settings import BuildConfig, TrainConfig, flag_of
from ganface.errors import UserError
from ganface.io.run import Run, find_model
from ganface.io.tensors import read_tensors
from ganface.models.header import PREFIXES, read_model_header

if TYPE_CHECKING:
    from ganface.training.checkpoint import Training

OF_D = ("norm", "spectral_norm")  # the settings that D is built by, beside those of G


@dataclass(frozen=True)
class Origin:
    """The file whose networks a training begins with."""

    path: Path
    size: int
    settings: dict[str, Any]  # of TrainConfig: what its networks are built by

    def adopt(
        self, build: dict[str, Any], train: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The given settings of BuildConfig and TrainConfig, and those that the networks ask for.

        Raises UserError if a given one is another.
        """
        for given, wanted in ((build, {"size": self.size}), (train, self.settings)):
            for name, value in wanted.items():
                if given.get(name, value) != value:
                    raise UserError(
                        f"{flag_of(name)} {given[name]}: {self.path} has {value}; leave it out"
                    )
        return {"size": self.size, **build}, {**self.settings, **train}


def find_origin(model: Path) -> Origin:
    """Of a run directory its newest checkpoint, or if it has none its generator; or the file.

    Looks at headers alone. Raises UserError if there is none, or if it cannot be used.
    """
    checkpoints = Run(model).checkpoints() if model.is_dir() else {}
    path = checkpoints[max(checkpoints)] if checkpoints else find_model(model)
    meta = read_model_header(path).meta
    settings = {k: v for k, v in meta["generator"].items() if k != "architecture"}
    size = settings.pop("size")
    train = meta.get("train")
    if meta["kind"] == "checkpoint" and isinstance(train, dict):
        settings |= {name: train[name] for name in OF_D if name in train}
    TrainConfig(**settings), BuildConfig(size=size)  # a file of anybody's may hold anything
    return Origin(path, size, settings)


def begin_with(training: Training, path: Path) -> str:
    """Give `training` the networks of a snapshot, or of a checkpoint, which has D as well.

    Returns what to tell the user. Raises UserError if the file is damaged or does not fit.
    """
    meta, tensors = read_tensors(path, *PREFIXES)
    size = meta["generator"]["size"]
    if training.G_ema.size != size:
        raise UserError(f"{path}: draws faces of {size} pixels, the images have other ones")
    G_ema = PREFIXES[meta["kind"]]
    networks = {"G_ema": (training.G_ema, G_ema), "G": (training.players.G, G_ema)}
    if meta["kind"] == "checkpoint":
        networks |= {"G": (training.players.G, "G."), "D": (training.players.D, "D.")}
    for name, (network, prefix) in networks.items():
        state = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        if not all(tensor.isfinite().all() for tensor in state.values()):
            raise UserError(f"{path}: {name} holds what is not a number")
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise UserError(f"{path}: its {name} is not built as this training's") from error
    return f"begins with {', '.join(sorted(networks))} of {path}, step {meta['step']:,}"
