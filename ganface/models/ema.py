"""G_ema: the exponential moving average of G's weights, with BatchNorm statistics of its own.

The averaged weights give other activations than the weights of any single step, so neither G's
running statistics nor their average fit them: both were measured on other networks. They are
measured on G_ema itself instead, each time before it draws. That costs about one update and leaves
G_ema a function of the averaged weights alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def decay_at(step: int, decay: float) -> float:
    """The decay after `step` updates: it grows to `decay` as (1 + step) / (5 + step).

    The average then spans about a quarter of the steps so far, so that it is worth a look early on.
    A tenth is better for the first thousand updates, and half of them later: docs/recipes.md.
    """
    return min(decay, (1 + step) / (5 + step))


@torch.no_grad()
def update_ema(G_ema: nn.Module, G: nn.Module, weight: Tensor) -> None:
    """G_ema <- (1 - weight) · G_ema + weight · G, for the weights; buffers stay as they are.

    weight: float32 [] on the networks' device, 1 - decay.
    """
    averages: list[Tensor] = [*G_ema.parameters()]
    news: list[Tensor] = [*G.parameters()]
    # Three launches on a GPU, however many parameters there are
    differences = list(torch._foreach_sub(news, averages))
    torch._foreach_mul_(differences, weight)
    torch._foreach_add_(averages, differences)


@torch.no_grad()
def recalibrate(network: nn.Module, batches: tuple[Tensor, ...]) -> None:
    """Set each BatchNorm's statistics to their mean over `batches`, of what the network
    takes. Leaves eval mode set.

    "Precise BatchNorm": Wu and Johnson 2021, "Rethinking 'Batch' in BatchNorm", section 3.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
    network.train()
    for number, z in enumerate(batches, start=1):
        for norm in norms:
            # A plain mean over the batches. PyTorch's own (momentum None) asks the GPU for the
            # number each time, and waits for the answer.
            norm.momentum = 1 / number
        network(z)
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
