"""--init-from and --of: a training that begins with networks of another one.

A few hundred images are too few to learn from nothing what a face is. Networks that know it from
other faces need only learn what is particular to these: Wang et al. 2018, "Transferring GANs:
generating images from limited data" (arXiv:1805.01677).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganface.config.architecture import SEES_IMAGES, AscentConfig, DcganConfig
from ganface.config.settings import flag_of
from ganface.errors import UserError
from ganface.io.run import Run, find_model
from ganface.io.tensors import read_tensors
from ganface.methods.registry import METHODS
from ganface.models.header import prefix_of, read_model_header
from ganface.models.registry import read_description
from ganface.models.snapshot import below
from ganface.training.config import RecipeConfig

if TYPE_CHECKING:
    from torch import nn

    from ganface.methods.base import TrainState


@dataclass(frozen=True)
class Origin:
    """The file whose networks a training begins with."""

    path: Path
    size: int
    settings: dict[str, Any]  # what its networks are built by

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


def adopt_origin(
    build: dict[str, Any], train: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The given settings of BuildConfig and TrainConfig, and those that the networks with which the
    training begins ask for, if it begins with any. Raises UserError as below."""
    method = RecipeConfig(method=train.get("method", RecipeConfig.method)).method
    if train.get("init_from") is not None:
        build, train = find_origin(Path(train["init_from"]), method).adopt(build, train)
    if train.get("of") is not None and "of" in METHODS[method].Config.flags():
        build, train = find_frozen(Path(train["of"])).adopt(build, train)
    return build, train


def find_frozen(model: Path) -> Origin:
    """The G of a run's latest snapshot, or of the file. Looks at headers alone. Raises UserError if
    there is none, if no gradient goes through it, or if it knows labels."""
    path = find_model(model)
    config = read_description(read_model_header(path).meta["generator"])
    if isinstance(config, AscentConfig):
        raise UserError(f"{path}: draws by climbing D, and no gradient reaches z")
    if config.labels:
        raise UserError(
            f"{path}: draws to order, and labels are not learned by an encoder; project needs none"
        )
    settings = {name: getattr(config, name) for name in config.flags() if name not in SEES_IMAGES}
    return Origin(path, config.size, settings)


def find_origin(model: Path, method: str) -> Origin:
    """Of a run directory its newest checkpoint, or if it has none its generator; or the file.

    method: of the training that begins with it. Looks at headers alone. Raises UserError if there
    is none, or if it cannot be used.
    """
    path = Run(model).newest_checkpoint() or find_model(model)
    header = read_model_header(path)
    meta, wanted = header.meta, METHODS[method].networks
    held = {name.partition(".")[0] for name in header.tensors}
    config, train = read_description(meta["generator"]), meta.get("train")
    settings = {name: getattr(config, name) for name in config.flags()}
    for name in SEES_IMAGES:
        if not held & {"D", "E"} & set(wanted):
            del settings[name]
        elif isinstance(train, dict) and name in train:  # of format 1, which says it there alone
            settings[name] = train[name]
    type(config)(**settings)  # a file of anybody's may hold anything
    return Origin(path, config.size, settings)


def begin_with(state: TrainState, config: DcganConfig, path: Path) -> str:
    """Give `state` the networks of a snapshot, or of a checkpoint, which has D as well.

    Returns what to tell the user. Raises UserError if the file is damaged or does not fit.
    """
    from ganface.models.dcgan import DcganNetwork

    meta, tensors = read_tensors(path, "snapshot", "checkpoint")
    size = read_description(meta["generator"]).size
    if config.size != size:
        raise UserError(f"{path}: draws faces of {size} pixels, the images have other ones")
    networks: dict[str, tuple[nn.Module, str]] = {
        f"{name}_ema": (average, name) for name, average in state.ema.items()
    }
    # Not what belongs to the images of that training
    built = {n: net for n, net in state.networks.items() if isinstance(net, DcganNetwork)}
    networks |= {name: (network, name) for name, network in built.items()}
    taken = []
    for name, (network, role) in networks.items():
        prefix = f"{name}." if meta["kind"] == "checkpoint" else prefix_of(meta, role)
        values = below(prefix, tensors) if prefix or role == "G" else {}
        if not values:
            continue  # a snapshot has no D
        if not all(tensor.isfinite().all() for tensor in values.values()):
            raise UserError(f"{path}: {name} holds what is not a number")
        try:
            network.load_state_dict(values)
        except RuntimeError as error:
            raise UserError(f"{path}: its {name} is not built as this training's") from error
        taken.append(name)
    return f"begins with {', '.join(sorted(taken))} of {path}, step {meta['step']:,}"
