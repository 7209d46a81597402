"""Images that features are tried on."""

import torch


def discs(seed, count, size=32):
    """A disc each, red to some degree and in the upper half: uint8 [N, 3, S, S]."""
    dice = torch.Generator().manual_seed(seed)
    colour = torch.tensor([255, 150, 60]).view(3, 1, 1) * torch.rand(count, 3, 1, 1, generator=dice)
    x, y, r = torch.rand(3, count, 1, 1, generator=dice)
    grid = torch.linspace(0, 1, size)
    inside = (grid - x) ** 2 + (grid.view(-1, 1) - y / 2) ** 2 < (0.1 + 0.3 * r) ** 2
    return torch.where(inside[:, None], colour, 200).to(torch.uint8)
