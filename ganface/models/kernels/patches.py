"""Convolutions of images of three channels on a GPU, with weights of 4 × 4 and a stride of 2.

As products with the patches that the weights meet, which are written out first, they take half as
long as with cuDNN's kernels, which are made for eight channels and more.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv_transpose2d, pad
from torch.nn.grad import conv2d_input

from ganface.models.kernels.layout import flat_of, images_of, rows_of, sum_of_rows

RGB = 3
# A dtype for two numbers of these, side by side
PAIR = {torch.bfloat16: torch.int32, torch.float16: torch.int32, torch.float32: torch.int64}


class RgbDown(torch.autograd.Function):
    """conv2d(x, w, bias, stride=2, padding=1) for x of 3 channels."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, bias: Tensor | None) -> Tensor:
        patches, flat = _patches(x), flat_of(w).T
        ctx.save_for_backward(w, patches if ctx.needs_input_grad[1] else None)
        ctx.shape, ctx.biased = x.shape, bias is not None
        y = patches @ flat if bias is None else torch.addmm(bias, patches, flat)
        return images_of(y, len(x))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        w, patches = ctx.saved_tensors
        dx = dw = dbias = None
        if ctx.needs_input_grad[0]:
            dx = conv2d_input(ctx.shape, w, dy, stride=2, padding=1)
        if ctx.needs_input_grad[1]:
            dw = _weights_of(rows_of(dy).T @ patches)
            dbias = sum_of_rows(rows_of(dy)) if ctx.biased else None
        return dx, dw, dbias


class RgbUp(torch.autograd.Function):
    """conv_transpose2d(y, w, stride=2, padding=1) to 3 channels; its gradients are products."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(y, w)
        return conv_transpose2d(y, w, stride=2, padding=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dx: Tensor) -> tuple[Tensor, Tensor]:
        y, w = ctx.saved_tensors
        patches = _patches(dx)
        return images_of(patches @ flat_of(w).T, len(y)), _weights_of(rows_of(y).T @ patches)


def _patches(x: Tensor) -> Tensor:
    """[B, 3, S, S] -> [B · S/2 · S/2, 4 · 4 · 3]: the patches that the weights meet, each laid out
    like `flat_of` the weights."""
    rows = pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)).flatten(2)  # [B, S + 2, 3 (S + 2)]
    # A row of a patch is 12 numbers, and the next one's begins 6 later. They are moved in pairs,
    # which takes half as long
    pairs = rows.view(PAIR[x.dtype]).unfold(2, 6, 3).unfold(1, 4, 2)  # [B, S/2, S/2, 6, 4]
    return pairs.transpose(3, 4).reshape(-1, 24).view(x.dtype)


def _weights_of(flat: Tensor) -> Tensor:
    """`flat_of` undone: [N, 4 · 4 · 3] -> [N, 3, 4, 4]"""
    return flat.view(-1, 4, 4, RGB).permute(0, 3, 1, 2)
