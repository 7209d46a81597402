"""Generators that nobody trained, with a place for everything that a trained one has."""

import torch

from ganface.config.architecture import DcganConfig
from ganface.models.dcgan import Generator


def untrained(config: DcganConfig) -> Generator:
    """A G whose images use the whole range of grey, and whose every tensor matters."""
    dice = torch.Generator().manual_seed(1)
    G = Generator(config)
    G.initialise(dice)
    with torch.no_grad():
        for name, tensor in G.named_parameters():
            if "hidden" in name or "scale" in name or "shift" in name:
                tensor += 0.2 * torch.randn(tensor.shape, generator=dice)
        if config.labels:
            for column, values in enumerate(config.labels.values()):
                labels = torch.randint(len(values) + 1, (len(G.examples),), generator=dice)
                G.examples[:, column] = labels
        for _ in range(20):  # from which BatchNorm has its statistics
            G(torch.randn(32, config.z_dim, generator=dice))
        G.eval()
        G.layers[-2].weight *= 0.5 / G(torch.randn(32, config.z_dim, generator=dice)).std()
    return G.requires_grad_(False)
