"""Directions of z⁺ along which one measurement of faces changes, and others hardly do.

To a small step a face's measurements, and the rest of its picture, answer by their gradients, and
`conditional` makes a direction of these that leaves all but one alone. Along a wide one others come
back, for nothing in G is straight. So faces are moved far to both sides; what moved that was not
meant to is noted with its gradient as it is on the way, which counts from then on; and all is done
again.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ganface.evaluation.probe import Probe
from ganface.latents.finding import conditional
from ganface.latents.places import moved

FAR = 2.5  # units of z, to either side
ROUNDS = 3
NOTED = 0.1  # standard deviations, on average over faces: what moves less is left alone
MOST = 8  # of measurements, and of the rest, that are noted at either side in one round
STOPS = 64  # faces whose gradients are taken on the way, each at another point of it
FACES = ROUNDS * STOPS  # that are moved


def pure_direction(probe: Probe, own: int, slopes: Tensor, faces: Tensor, still: Tensor) -> Tensor:
    """The direction of measurement number `own`: float64 [places, z_dim], of length 1 in each place
    (the root of their mean square).

    slopes: of the M + K that are probed, where faces are, float64 [M + K, places, z_dim]; faces:
    z⁺ [FACES, places, z_dim], with labels behind; still: what is probed of these, on average.
    """
    others = other_factors(probe.factors, own)
    direction = near_direction(probe.factors, own, slopes)
    rows = slopes[others].flatten(1)
    for stops in faces.split(STOPS):
        noted = []
        for far in (FAR, -FAR):
            shift = probe.table(moved(faces, direction, far)).mean(0) - still
            if strayed := most_moved(shift, others, len(probe.keys)):
                way = moved(stops, direction, far * on_the_way(len(stops)))
                noted.append(probe.slopes(way, strayed).flatten(1))
        if not noted:
            break
        rows = torch.cat([rows, *noted])
        direction = direction_of(slopes[own], rows)
    return direction


def near_direction(factors: Sequence[str], own: int, slopes: Tensor) -> Tensor:
    """What `pure_direction` starts from, which is pure along small steps."""
    return direction_of(slopes[own], slopes[other_factors(factors, own)].flatten(1))


def direction_of(slope: Tensor, rows: Tensor) -> Tensor:
    """float64 [places, z_dim], along a slope of this shape and across rows [R, places · z_dim]."""
    flat = conditional(slope.flatten(), rows).double()
    return flat.view_as(slope) * len(slope) ** 0.5


def other_factors(factors: Sequence[str], own: int) -> list[int]:
    """The numbers of the measurements that are of another factor than this one."""
    return [i for i, factor in enumerate(factors) if factor != factors[own]]


def on_the_way(count: int) -> Tensor:
    """So many numbers at even distances between 0 and 1: [count, 1, 1]."""
    return ((torch.arange(count) + 0.5) / count)[:, None, None]


def most_moved(shift: Tensor, others: Sequence[int], measured: int) -> list[int]:
    """Which MOST of the others moved most, of those that moved by more than NOTED; and likewise
    of the rest, whose numbers are from `measured` on."""
    far = {i: abs(shift[i].item()) for i in others if abs(shift[i]) > NOTED}
    order = sorted(far, key=lambda i: far[i], reverse=True)
    measurements = [i for i in order if i < measured]
    return measurements[:MOST] + [i for i in order if i >= measured][:MOST]
