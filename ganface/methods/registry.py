"""The methods there are. To add one: its file in this folder, and its class below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ganface.methods.alphagan import AlphaGan
from ganface.methods.autoencoder import Autoencoder
from ganface.methods.base import Method
from ganface.methods.codes import FromCodes
from ganface.methods.encoder import EncoderOfG
from ganface.methods.energy import Energy
from ganface.methods.gan import Gan
from ganface.methods.vae import Vae
from ganface.methods.verdict import with_figures

ALL: tuple[type[Method], ...] = (Gan, FromCodes, Autoencoder, Vae, AlphaGan, Energy, EncoderOfG)
METHODS = {method.name: method for method in ALL}


def method_of(lines: Sequence[dict[str, Any]]) -> type[Method]:
    """The method whose metrics the lines of stats.jsonl hold: the run's config.json may be lost."""
    # Of lines that hold no metrics there are few: a verdict alone, where a run went back
    held = (with_figures(("seconds",), lines) or lines)[-1]
    return max(METHODS.values(), key=lambda each: sum(name in held for name in each.metrics))
