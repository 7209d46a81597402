"""z⁺: a z for each layer of a generator that reads one, [places, z_dim] in place of [z_dim]."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import pad


def everywhere(latents: Tensor, places: int) -> Tensor:
    """z⁺ [N, places, …] of the same z [N, …] in all places; one tensor, seen so many times."""
    return latents[:, None].expand(-1, places, -1)


def as_z_plus(latents: Tensor, places: int) -> Tensor:
    """Latents [N, …], everywhere; or those that are z⁺ already, as they are."""
    return latents if latents.dim() == 3 else everywhere(latents, places)


def moved(faces: Tensor, direction: Tensor, far: Tensor | float) -> Tensor:
    """z⁺ [N, places, …], moved along a direction [places, z_dim]; labels behind z stay. float32.

    far: how many times the direction, for all or [N, 1, 1].
    """
    step = far * direction
    return (faces + pad(step, (0, faces.shape[-1] - step.shape[-1]))).float()
