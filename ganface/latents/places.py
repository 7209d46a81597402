"""z⁺: a z for each layer of a generator that reads one, [places, z_dim] in place of [z_dim]."""

from __future__ import annotations

from torch import Tensor


def everywhere(latents: Tensor, places: int) -> Tensor:
    """z⁺ [N, places, …] of the same z [N, …] in all places; one tensor, seen so many times."""
    return latents[:, None].expand(-1, places, -1)


def as_z_plus(latents: Tensor, places: int) -> Tensor:
    """Latents [N, …], everywhere; or those that are z⁺ already, as they are."""
    return latents if latents.dim() == 3 else everywhere(latents, places)
