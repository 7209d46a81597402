"""Which networks there are, and how one is built from its config.

To add an architecture: its config in `config/architecture.py`, its networks in a file here, and a
line below.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ganface.config.architecture import AscentConfig, DcganConfig
from ganface.errors import UserError

if TYPE_CHECKING:
    from ganface.models.dcgan import DcganNetwork


@dataclass(frozen=True)
class Architecture:
    """`networks`: what each role's network is made by, as "module:class", imported when built."""

    Config: type[DcganConfig]
    networks: dict[str, str]


ARCHITECTURES = {
    "dcgan": Architecture(
        DcganConfig,
        {
            "G": "ganface.models.dcgan:Generator",
            "D": "ganface.models.dcgan:Discriminator",
            "C": "ganface.models.code_discriminator:CodeDiscriminator",
            "E": "ganface.models.encoder:Encoder",
            "log_variance": "ganface.models.encoder:LogVariance",
        },
    ),
    "ascent": Architecture(
        AscentConfig,
        {"G": "ganface.models.ascent:Ascent", "D": "ganface.models.dcgan:Discriminator"},
    ),
}


def build_network(role: str, config: DcganConfig) -> DcganNetwork:
    """The network of that role as `config` describes it, its weights PyTorch's own random ones."""
    module, _, name = ARCHITECTURES[name_of(config)].networks[role].partition(":")
    return getattr(import_module(module), name)(config)


def name_of(config: DcganConfig) -> str:
    return next(name for name, each in ARCHITECTURES.items() if each.Config is type(config))


def describe(config: DcganConfig) -> dict[str, Any]:
    """What a file says of its networks, from which `read_description` makes the config again."""
    settings = {n: value for n, value in dataclasses.asdict(config).items() if value is not None}
    return {"architecture": name_of(config), **settings}


def read_description(described: dict[str, Any]) -> DcganConfig:
    """Raises UserError for what this ganface cannot build; KeyError, TypeError, AttributeError for
    what is no description at all."""
    settings = described.copy()
    architecture = settings.pop("architecture")
    if architecture not in ARCHITECTURES:
        raise UserError(f"this ganface cannot draw the kind {architecture}")
    return ARCHITECTURES[architecture].Config.stored(settings)
