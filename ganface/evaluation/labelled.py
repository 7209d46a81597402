"""Whether faces drawn to order show what was asked for: a small classifier says, trained on reals.

Ravuri and Vinyals 2019, "Classification Accuracy Score for Conditional Generative Models"
(arXiv:1905.10887), train it on generated images; the other way round it tells whether labels are
obeyed. That classes are drawn in all their breadth is told by distances within them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ganface.dataset.normalise import normalise
from ganface.dataset.pack import Pack
from ganface.evaluation.drawn import Images, choose, extract_features
from ganface.evaluation.neighbours import mean_distance
from ganface.evaluation.reader import train_reader
from ganface.io.console import Track, untracked
from ganface.models.dcgan import DcganNetwork
from ganface.models.features import RandomFeatures

UPDATES = 400  # of the classifier
APART = 5  # one in so many reals is not learned from
LEAST = 10  # faces of a value in whose distances there is a meaning

Figures = dict[str, float]


class Labelled:
    """Holds a classifier of the reals' labels; prepared once, for any number of generators."""

    def __init__(
        self, reals: Pack, count: int, device: torch.device, track: Track = untracked
    ) -> None:
        """count: images that are measured, of reals too. device: where networks compute."""
        self.attributes = reals.attributes
        self._device, self._features = device, RandomFeatures().to(device)
        order = choose(reals, len(reals))
        apart, learned = order[: len(reals) // APART], order[len(reals) // APART :]
        self._network = self._train(reals, learned, track)
        self.floors = {
            **self._accuracies(reals, apart[:count], reals.labels),
            "diversity_within": 1.0,
        }
        some = order[:count]
        self._distances = self._distances_within(reals, some, reals.labels)

    def measure(self, fakes: Images, indices: Sequence[int], labels: Tensor) -> Figures:
        """Of the fakes of these indices. labels: uint8, of the fake of each index, as
        `Pack.labels`. What too few of them tell of is left out."""
        found = self._distances_within(fakes, indices, labels)
        both = [found[key] / self._distances[key] for key in found if self._distances.get(key)]
        within = {"diversity_within": sum(both) / len(both)} if both else {}
        return {**self._accuracies(fakes, indices, labels), **within}

    def _train(self, reals: Pack, indices: Sequence[int], track: Track) -> DcganNetwork:
        def loss_of(network: DcganNetwork, dice: Tensor) -> Tensor:
            chosen = [indices[place] for place in (dice[0] * len(indices)).long().tolist()]
            images = normalise(reals.batch(chosen), dice[1] < 0.5).to(self._device)
            labels = reals.labels[chosen].long().to(self._device)
            losses = [
                # -1: not known
                cross_entropy(logits, labels[:, i] - 1, ignore_index=-1, reduction="sum")
                for i, logits in enumerate(self._split(network(images)))
            ]
            return torch.stack(losses).sum() / len(chosen)

        values = sum(map(len, self.attributes.values()))
        return train_reader(reals.size, values, UPDATES, loss_of, self._device, track)

    def _split(self, logits: Tensor) -> tuple[Tensor, ...]:
        """For each attribute the logits of its values."""
        return logits.split([len(values) for values in self.attributes.values()], 1)

    def _guess(self, images: Tensor) -> Tensor:
        """The numbers of the likeliest values, from 1: int64 [N, A]."""
        unflipped = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        logits = self._network(normalise(images, unflipped))
        return torch.stack([each.argmax(1) + 1 for each in self._split(logits)], 1)

    def _accuracies(self, images: Images, indices: Sequence[int], labels: Tensor) -> Figures:
        """For each attribute the share of images that the classifier reads right, where there are
        any of which it is known."""
        (guessed,) = extract_features(images, indices, [self._guess], device=self._device)
        wanted = labels[[*indices]].long()
        known = wanted > 0
        right, of = ((guessed == wanted) & known).sum(0).tolist(), known.sum(0).tolist()
        each = zip(self.attributes, right, of, strict=True)
        return {f"accuracy_{name}": r / count for name, r, count in each if count}

    def _distances_within(
        self, images: Images, indices: Sequence[int], labels: Tensor
    ) -> dict[tuple[int, int], float]:
        """The mean distance of two images of one value, by attribute and value."""
        (features,) = extract_features(images, indices, [self._features], device=self._device)
        wanted = labels[[*indices]]
        found = {}
        for i, values in enumerate(self.attributes.values()):
            for value in range(1, len(values) + 1):
                part = features[wanted[:, i] == value]
                if len(part) >= LEAST:
                    found[i, value] = mean_distance(part)
        return found
