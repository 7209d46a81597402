"""Ways through latent space: from face to face, along directions. On the CPU, in float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ganface.latents.places import as_z_plus, moved

Interpolation = Callable[[Tensor, Tensor, float], Tensor]


def lerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The point at t in [0, 1] of the straight line from a to b, each [z_dim] or z⁺."""
    return torch.lerp(a, b, t)


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The point at t in [0, 1] of the arc from a to b, each [z_dim]; the length changes evenly.
    Of z⁺ [places, z_dim] each place takes its own arc.

    Points of N(0, I) lie near a sphere; a straight line would leave it, and G has not learned what
    lies inside. Shoemake 1985, "Animating Rotation with Quaternion Curves". Where there is no one
    arc (a or b is 0, or both lie on one line), it is the straight line.
    """
    if a.dim() > 1:
        return torch.stack([slerp(*both, t) for both in zip(a, b, strict=True)])
    # In float64: float32 cannot tell an angle of 3e-4 from none
    exact_a, exact_b = a.double(), b.double()
    length_a, length_b = exact_a.norm(), exact_b.norm()
    if length_a == 0 or length_b == 0:
        return lerp(a, b, t)
    unit_a, unit_b = exact_a / length_a, exact_b / length_b
    angle = torch.acos(torch.dot(unit_a, unit_b).clamp(-1, 1))
    if torch.sin(angle) < 1e-5:
        return lerp(a, b, t)
    arc = (torch.sin((1 - t) * angle) * unit_a + torch.sin(t * angle) * unit_b) / torch.sin(angle)
    return (arc * torch.lerp(length_a, length_b, t)).to(a.dtype)


def walk(stops: Tensor, frames: int, interpolate: Interpolation, loop: bool) -> Tensor:
    """A walk through `stops` [S, z_dim], or z⁺ [S, places, z_dim], with `frames` steps per leg.

    Returns [legs · frames + 1, …], from the first stop to the last. With `loop` one more leg
    leads back, and the last point, which is the first, is left out: the walk then repeats smoothly.
    """
    ends = torch.cat([stops[1:], stops[:1]]) if loop else stops[1:]
    points = [
        interpolate(a, b, i / frames)
        for a, b in zip(stops, ends, strict=False)
        for i in range(frames)
    ]
    if not loop:
        points.append(stops[-1])
    return torch.stack(points)


def walks(z: Tensor, rows: int, frames: int, interpolate: Interpolation, loop: bool) -> Tensor:
    """`rows` walks [rows, F, …], each through its share of the stops z [rows · S, …]."""
    shares = z.unflatten(0, (rows, -1))
    return torch.stack([walk(stops, frames, interpolate, loop) for stops in shares])


def sweep(z: Tensor, entries: Sequence[int], low: float, high: float, frames: int) -> Tensor:
    """One walk per entry of z [z_dim], with labels behind: it goes from low to high, all others
    stay. Of z⁺ [places, …] it does so in all places.

    Returns [K, frames + 1, …], in `frames` steps: the lecture's picture of what an entry means.
    """
    swept = z.repeat(len(entries), frames + 1, *[1] * z.dim())
    for row, entry in zip(swept, entries, strict=True):
        row[..., entry] = torch.linspace(low, high, frames + 1).view(-1, *[1] * (z.dim() - 1))
    return swept


def sweep_along(z: Tensor, directions: Tensor, low: float, high: float, frames: int) -> Tensor:
    """One walk per direction [K, places, z_dim]: from z [z_dim] or z⁺ [places, z_dim], with labels
    behind, moved by low to it moved by high.

    Returns z⁺ [K, frames + 1, places, …], in `frames` steps.
    """
    start = as_z_plus(z[None], directions.shape[1])
    values = torch.linspace(low, high, frames + 1)[:, None, None]
    return torch.stack([moved(start, direction, values) for direction in directions])


def with_straight_labels(interpolate: Interpolation, z_dim: int) -> Interpolation:
    """So for z, and straight for the labels that follow it."""

    def both(a: Tensor, b: Tensor, t: float) -> Tensor:
        z = interpolate(a[..., :z_dim], b[..., :z_dim], t)
        return torch.cat([z, lerp(a[..., z_dim:], b[..., z_dim:], t)], -1)

    return both
