"""The methods there are. To add one: its file in this folder, and its class below."""

from __future__ import annotations

from ganface.methods.autoencoder import Autoencoder
from ganface.methods.base import Method
from ganface.methods.energy import Energy
from ganface.methods.gan import Gan
from ganface.methods.vae import Vae

METHODS: dict[str, type[Method]] = {
    method.name: method for method in (Gan, Autoencoder, Vae, Energy)
}
