"""What is done to images so that D, or a reader, has something to object to."""

from __future__ import annotations

import torch
from torch import Tensor

from ganface.latents import rng


def damaged(images: Tensor) -> dict[str, Tensor]:
    """uint8 [N, 3, S, S], damaged in three ways, by what the way is called."""
    half, side = images.shape[-1] // 2, images.shape[-1]
    blank = images.clone()
    hole = slice(side // 4, side - side // 4)
    blank[:, :, hole, hole] = 128
    return {
        "hole": blank,
        "halves": torch.cat([images[:, :, half:], images[:, :, :half]], 2),
        "mixed": quarters(images),
    }


def quarters(images: Tensor) -> Tensor:
    """Each of the four quarters from another image."""
    half = images.shape[-1] // 2
    mixed = images.clone()
    places = ((0, half), (half, 0), (half, half))
    for turn, (top, left) in enumerate(places, start=1):
        part = (slice(None), slice(None), slice(top, top + half), slice(left, left + half))
        mixed[part] = images.roll(turn, 0)[part]
    return mixed


def shuffled(images: Tensor) -> Tensor:
    """Each pixel from another image, from the same place: what every single pixel has is that of
    real ones, and what they have together is not."""
    count, _, side, _ = images.shape
    chosen = torch.rand(count, side * side, generator=rng.generator(0, "shuffled"))
    chosen = (chosen * count).long()[:, None].expand(-1, 3, -1)
    return images.flatten(2).gather(0, chosen).unflatten(2, (side, side))


def stray(images: Tensor, pixels: int) -> Tensor:
    """So many pixels of each, by chance, turned to the opposite colour."""
    count, _, side, _ = images.shape
    dice = torch.rand(count, side * side, generator=rng.generator(0, "stray"))
    chosen = dice.argsort(1)[:, :pixels]
    flat = images.flatten(2).clone()
    where = chosen[:, None].expand(-1, 3, -1)
    opposite = torch.where(flat.gather(2, where) < 128, 255, 0).to(torch.uint8)
    return flat.scatter(2, where, opposite).unflatten(2, (side, side))


def shifted(images: Tensor) -> Tensor:
    """One pixel to the right; the leftmost column is there twice."""
    return torch.cat([images[..., :1], images[..., :-1]], -1)
