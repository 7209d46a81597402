"""The convolutions of a DCGAN, each computed in its fastest way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn.functional import conv2d, conv_transpose2d, linear

from ganface.models.kernels import patches, winograd
from ganface.models.kernels.layout import flat_of, rows_of, sum_of_rows
from ganface.models.kernels.patches import RGB


class DownConv(nn.Conv2d):
    """[B, in_channels, S, S] -> [B, out_channels, S / 2, S / 2], with weights of 4 × 4."""

    compiled = False  # whether to use winograd.c
    plain = False  # whether to use PyTorch's kernels alone

    def __init__(self, in_channels: int, out_channels: int, bias: bool = False) -> None:
        super().__init__(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.plain:
            return conv2d(x, self.weight, self.bias, stride=2, padding=1)
        if self.in_channels == RGB and torch.is_autocast_enabled("cuda"):
            dtype = torch.get_autocast_dtype("cuda")
            bias = None if self.bias is None else self.bias.to(dtype)
            return patches.RgbDown.apply(x.to(dtype), self.weight.to(dtype), bias)
        y = winograd.halve(x, self.weight) if self.compiled else None
        if y is None:
            y = conv2d(x, self.weight, stride=2, padding=1)
        return y if self.bias is None else AddBias.apply(y, self.bias)


class AddBias(torch.autograd.Function):
    """y [B, C, H, W] + bias [C], in place.

    As a convolution's own bias, but that its gradient is a product.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, y: Tensor, bias: Tensor) -> Tensor:
        ctx.mark_dirty(y)
        return y.add_(bias.to(y.dtype)[:, None, None])  # to add mixed dtypes is slow

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None]:
        wanted = ctx.needs_input_grad[1]  # not of a frozen D
        return gradient, sum_of_rows(rows_of(gradient)) if wanted else None


class UpConv(nn.ConvTranspose2d):
    """[B, in_channels, S, S] -> [B, out_channels, 2 S, 2 S], with weights of 4 × 4."""

    compiled = False

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 4, stride=2, padding=1, bias=False)

    def forward(self, y: Tensor) -> Tensor:  # type: ignore[override]  # no output_size
        w = self.kernel()
        if self.out_channels == RGB and torch.is_autocast_enabled("cuda"):
            dtype = torch.get_autocast_dtype("cuda")
            return patches.RgbUp.apply(y.to(dtype), w.to(dtype))
        x = winograd.double(y, w) if self.compiled else None
        return conv_transpose2d(y, w, stride=2, padding=1) if x is None else x

    def kernel(self) -> Tensor:
        """float32 [in_channels, out_channels, 4, 4]"""
        return self.weight


class NearestUpConv(UpConv):
    """[B, in_channels, S, S] -> [B, out_channels, 2 S, 2 S]: each pixel made 2 × 2, then convolved
    with 3 × 3 weights.

    Every weight counts alike everywhere, so there is no chequerboard to unlearn: Odena, Dumoulin
    and Olah 2016, "Deconvolution and Checkerboard Artifacts". It is the transposed convolution
    whose 4 × 4 weights are the 3 × 3 ones, spread by a box of 2 × 2, and costs as much.
    """

    spread: Tensor

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)
        self.weight = nn.Parameter(torch.empty(in_channels, out_channels, 3, 3))
        self.register_buffer("spread", box_spread(), persistent=False)

    def kernel(self) -> Tensor:
        # Not in autocast: rounded before they are added, the weights would be rounded twice
        with exact(self.weight.device):
            flat = self.weight.flatten(2)
            # The result has the layout of the weights, in which neither is copied
            if self.weight.is_contiguous():
                spread = flat @ self.spread.T
            else:
                spread = (self.spread @ flat.transpose(1, 2)).transpose(1, 2)
        return spread.unflatten(2, (4, 4))


def box_spread() -> Tensor:
    """The linear map from 3 × 3 weights to the same spread by a box of 2 × 2: float32 [16, 9].

    Not by `torch.eye`: on the meta device that loads PyTorch's compiler, which takes seconds.
    """
    places, weights = product(range(4), repeat=2), list(product(range(3), repeat=2))
    return torch.tensor([[float({i - a, j - b} <= {0, 1}) for a, b in weights] for i, j in places])


class LogitHead(nn.Conv2d):
    """[B, in_channels, 4, 4] -> [B, 1, 1, 1]: over one position a convolution is a product."""

    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels, 1, 4, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return linear(flat_of(x), flat_of(self.weight))[:, :, None, None]


class LatentProjection(nn.ConvTranspose2d):
    """[B, in_channels, 1, 1] -> [B, out_channels, 4, 4], likewise."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 4, bias=False)

    def forward(self, z: Tensor) -> Tensor:  # type: ignore[override]  # no output_size
        flat = z.flatten(1) @ flat_of(self.weight)
        return flat.view(-1, 4, 4, self.out_channels).permute(0, 3, 1, 2)


def exact(device: torch.device) -> AbstractContextManager[object]:
    """Within it nothing is rounded to less than float32."""
    if device.type == "meta":  # which knows shapes, and no autocast
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def use_compiled(network: nn.Module, wanted: bool = True) -> None:
    """Use the compiled kernels wherever in the network they fit, or nowhere."""
    for module in network.modules():
        if isinstance(module, (DownConv, UpConv)):
            module.compiled = wanted


@contextmanager
def by_plain_kernels(D: nn.Module) -> Iterator[None]:
    """Within the block D uses PyTorch's kernels alone: ours cannot be differentiated twice."""
    halves = [module for module in D.modules() if isinstance(module, DownConv)]
    for module in halves:
        module.plain = True
    try:
        yield
    finally:
        for module in halves:
            module.plain = False
