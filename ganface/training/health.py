"""How the game stands: what D and G do on images that are not those of the update at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from ganface.config import TrainConfig
from ganface.dataset.pack import Pack
from ganface.device import Compute
from ganface.distributed import Processes
from ganface.losses import LOSSES
from ganface.training import streams
from ganface.training.checkpoint import Training
from ganface.training.feed import normalise

EXAMINED = 64  # images of each kind
COARSE = 8  # pixels a side to which images are reduced before they are compared

# D on held-out images; how far it prefers those it learns from, where 1 is as far as it prefers
# them to generated ones; how unlike each other G's images are, and real ones
FINDINGS = ("D_held_out", "accuracy_held_out", "overfitting", "diversity", "diversity_reals")


class Examiner:
    """Looks at the same few images again and again."""

    def __init__(
        self, pack: Pack, config: TrainConfig, compute: Compute, training: Training
    ) -> None:
        self._config = config
        self._compute = compute
        self._training = training
        order = streams.DataOrder(config.seed, len(pack), EXAMINED)
        held_out = streams.held_out(len(pack))[:EXAMINED]
        self._seen, self._held_out = (
            self._reals(pack, list(indices)) for indices in (order.indices_at(1), held_out)
        )
        noise = torch.randn(
            EXAMINED, config.z_dim, generator=streams.generator(config.seed, "examined")
        )
        self._z = noise.to(compute.device)

    def _reals(self, pack: Pack, indices: list[int]) -> Tensor:
        images = pack.batch([int(index) for index in indices])
        return normalise(images, torch.zeros(len(images), dtype=torch.bool)).to(
            self._compute.device
        )

    @torch.no_grad()
    def examine(self, processes: Processes) -> Tensor:
        """FINDINGS as float32 [len(FINDINGS)] on the device; NaN where nothing is held out.

        Leaves no trace in the training.
        """
        players, loss = self._training.players, LOSSES[self._config.loss]
        with observed(players.G), observed(players.D), self._compute.autocast():
            fakes = players.G(self._z)
            seen, fake = players.D(self._seen).float(), players.D(fakes).float()
            # BatchNorm cannot do with no image at all
            held_out = (
                players.D(self._held_out).float() if len(self._held_out) else seen * torch.nan
            )
        overfitting = (seen.mean() - held_out.mean()) / (seen.mean() - fake.mean())
        real = held_out - loss.middle(seen, fake)
        findings = torch.stack(
            [
                *(real.sigmoid().mean(), (real > 0).float().mean() + 0 * real.mean(), overfitting),
                *(diversity(fakes), diversity(self._seen)),
            ]
        )
        processes.average(findings)
        return findings


def diversity(images: Tensor) -> Tensor:
    """How unlike each other images [B, 3, S, S] in [-1, 1] are, coarsely: float32 [].

    The standard deviation over the batch, of each of COARSE × COARSE pixels. Noise hardly counts.
    """
    coarse = adaptive_avg_pool2d(images.float(), COARSE)
    return coarse.var(0).mean().sqrt()


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
