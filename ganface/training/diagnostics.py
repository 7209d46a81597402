"""How the game stands: what D and G do on images that are not those of the update at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d
from torch.nn.utils import get_total_norm

from ganface.config.settings import TrainConfig
from ganface.dataset.order import DataOrder, held_out
from ganface.dataset.pack import Pack
from ganface.latents import rng
from ganface.losses.adversarial import LOSSES
from ganface.system.device import Compute
from ganface.training.batches import normalise
from ganface.training.checkpoint import Training
from ganface.training.distributed import Processes
from ganface.training.schedule import learning_rates_at

EXAMINE = 50  # steps from one time to the next
EXAMINED = 64  # images of each kind
COARSE = 8  # pixels a side to which images are reduced before they are compared

HELD_OUT = (
    *("D_held_out", "accuracy_held_out"),  # D on images that it does not learn from
    "overfitting",  # how far it prefers those that it does: 1 is as far as to generated ones
)
DIAGNOSTICS = (
    *HELD_OUT,
    *("diversity", "diversity_reals"),  # how unlike each other G's images are, and real ones
    *("pace_D", "pace_G"),  # Adam's step against the size of the weights
)


class Diagnostics:
    """Looks at the same few images again and again."""

    def __init__(
        self, pack: Pack, config: TrainConfig, compute: Compute, training: Training
    ) -> None:
        self._config = config
        self._compute = compute
        self._training = training
        order = DataOrder(config.seed, len(pack), EXAMINED)
        kept = held_out(len(pack))[:EXAMINED]
        self._seen, self._held_out = (
            self._reals(pack, list(indices)) for indices in (order.indices_at(1), kept)
        )
        noise = torch.randn(
            EXAMINED, config.z_dim, generator=rng.generator(config.seed, "examined")
        )
        self._z = noise.to(compute.device)

    def _reals(self, pack: Pack, indices: list[int]) -> Tensor:
        images = pack.batch([int(index) for index in indices])
        return normalise(images, torch.zeros(len(images), dtype=torch.bool)).to(
            self._compute.device
        )

    @torch.no_grad()
    def examine(self, processes: Processes) -> Tensor:
        """DIAGNOSTICS as float32 [len(DIAGNOSTICS)]; of HELD_OUT NaN if nothing is held out.

        Leaves no trace in the training.
        """
        players, config, loss = self._training.players, self._config, LOSSES[self._config.loss]
        lr_D, lr_G = learning_rates_at(self._training.step, config)
        with observed(players.G), observed(players.D), self._compute.autocast():
            fakes = players.G(self._z)
            seen, fake = players.D(self._seen).float(), players.D(fakes).float()
            # BatchNorm cannot do with no image at all
            there = len(self._held_out) > 0
            held_out = players.D(self._held_out).float() if there else seen * torch.nan
        overfitting = (seen.mean() - held_out.mean()) / (seen.mean() - fake.mean())
        margin = held_out - loss.decision_threshold(seen, fake)
        right = (margin > 0).float().where(~margin.isnan(), torch.nan)
        findings = torch.stack(
            [
                *(margin.sigmoid().mean(), right.mean()),
                overfitting,
                *(diversity(fakes), diversity(self._seen)),
                *(update_to_weight_ratio(players.D, lr_D), update_to_weight_ratio(players.G, lr_G)),
            ]
        )
        processes.all_reduce_mean(findings)
        return findings


def diversity(images: Tensor) -> Tensor:
    """How unlike each other images [B, 3, S, S] in [-1, 1] are, coarsely: float32 [].

    The standard deviation over the batch, of each of COARSE × COARSE pixels. Noise hardly counts.
    """
    coarse = adaptive_avg_pool2d(images.float(), COARSE)
    return coarse.var(0).mean().sqrt()


def update_to_weight_ratio(network: nn.Module, rate: float) -> Tensor:
    """Adam's step, which is about `rate` for each weight, against the weights' size: float32 [].

    Of the convolutions alone: their weights are nearly all of them.
    """
    weights = [p for p in network.parameters() if p.dim() == 4]
    size = get_total_norm(weights) / sum(weight.numel() for weight in weights) ** 0.5
    return rate / size


@contextmanager
def observed(network: nn.Module) -> Iterator[None]:
    """Within the block the network computes what it does while it trains, and changes nothing.

    BatchNorm takes the statistics of the batch and keeps none; spectral norms stay as they are.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    network.eval()
    for norm in norms:
        norm.train()
        norm.track_running_stats = False
    try:
        yield
    finally:
        network.train()
        for norm in norms:
            norm.track_running_stats = True
