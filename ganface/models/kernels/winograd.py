"""Convolutions of 4 × 4 weights with stride 2, and their transposes, in half the multiplications.

An image split by the parity of its rows and columns is four images, its phases, and the convolution
is a sum of four with 2 × 2 weights and stride 1. Winograd's minimal filtering does one of those
with (r + 1)(c + 1) multiplications for each tile of r × c outputs, in place of 4 r c: 15 for 32 at
4 × 2, 25 for 64 at 4 × 4. Summed over channels they are large matrix products; the transforms
around them are a few additions, which `winograd.c` does in one pass over memory.

    v = tiles(x), u = weights(w), m = v uᵀ, y = outputs(m)

Every step is linear, so the gradients are the same steps transposed, and so is the transposed
convolution. Winograd 1980, "Arithmetic Complexity of Computations"; Lavin and Gray 2015, "Fast
Algorithms for Convolutional Neural Networks" (arXiv:1509.09308).
"""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ganface.models.kernels.layout import flat_of, images_of
from ganface.models.kernels.patches import RGB
from ganface.system.compiler import compile_library

LANES = 16  # channels that winograd.c takes at once

# Toom and Cook's points for tiles of so many outputs, besides infinity. Found by trying: they keep
# errors in bf16 small, at 4 less than half of what the usual 0, 1, -1, 2 make.
POINTS = {2: (0.75, -0.75), 4: (0.4, -0.4, 1.4, -1.4)}


def toom_cook(points: tuple[float, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """AT, G, BT (float64) with y = AT [(G g) * (BT d)], where y_i = g_0 d_i + g_1 d_(i + 1).

    As many y as points, one more d. Both polynomials are evaluated at the points and at infinity,
    multiplied there, and the product's coefficients solved for; this is that, transposed.
    """
    count = len(points) + 1

    def evaluate(length: int) -> Tensor:
        rows = [[p**power for power in range(length)] for p in points]
        return torch.tensor([*rows, [0.0] * (length - 1) + [1.0]], dtype=torch.float64)

    return evaluate(count - 1).T, evaluate(2), torch.linalg.inv(evaluate(count)).T


def tile_of(dtype: torch.dtype, side: int) -> tuple[int, int]:
    """Rows and columns of a tile of outputs, where there are side × side.

    Larger tiles save more multiplications and lose more bits, and bf16 has few to lose. At 4 × 4,
    where weights are many and tiles are few, the transforms of the weights weigh more.
    """
    if dtype == torch.float32:
        return (4, 4) if side > 4 else (4, 2)
    return (4, 2) if side > 4 else (2, 2)


@cache
def load_library(dtype: torch.dtype, tile: tuple[int, int]) -> ctypes.CDLL:
    """winograd.c for float32 or bfloat16. Raises CannotCompile."""
    macros = {"BF16": "1"} if dtype == torch.bfloat16 else {}
    for side, size in zip(("ROWS", "COLUMNS"), tile, strict=True):
        macros[side] = str(size)
        for name, matrix in zip(("AT", "G", "BT"), toom_cook(POINTS[size]), strict=True):
            rows = ("{" + ",".join(map(repr, row)) + "}" for row in matrix.tolist())
            macros[f"{side}_{name}"] = "{" + ",".join(rows) + "}"
    return compile_library(Path(__file__).with_suffix(".c"), macros)


def load_libraries(dtype: torch.dtype) -> None:
    """Compile all that training in this dtype will need. Raises CannotCompile."""
    for side in (4, 8):
        load_library(dtype, tile_of(dtype, side))


@dataclass(frozen=True)
class Algorithm(ABC):
    """How x [batch, C, side, side] becomes y [batch, K, side / 2, side / 2], and gradients return.

    All arrays are of `dtype`, but w: float32 [K, C, 4, 4]. Images and w are channels_last.
    """

    batch: int
    C: int
    K: int
    side: int
    dtype: torch.dtype

    @abstractmethod
    def tiles(self, x: Tensor) -> Tensor: ...
    @abstractmethod
    def tiles_T(self, v: Tensor) -> Tensor: ...
    @abstractmethod
    def weights(self, w: Tensor) -> Tensor: ...
    @abstractmethod
    def weights_T(self, u: Tensor) -> Tensor: ...
    @abstractmethod
    def outputs(self, m: Tensor) -> Tensor: ...
    @abstractmethod
    def outputs_T(self, y: Tensor) -> Tensor: ...

    @property
    def _tile(self) -> tuple[int, int]:
        return tile_of(self.dtype, self.side // 2)

    def _call(self, name: str, *arguments: Tensor | int) -> None:
        """Run a function of winograd.c on memory that is laid out as it expects.

        On the meta device, where tensors have shapes and no memory, there is nothing to run.
        """
        if any(isinstance(each, Tensor) and each.is_meta for each in arguments):
            return
        function = getattr(load_library(self.dtype, self._tile), name)
        function(
            *(
                ctypes.c_void_p(a.data_ptr()) if isinstance(a, Tensor) else ctypes.c_long(a)
                for a in arguments
            )
        )

    def _images(self, like: Tensor, channels: int, side: int) -> Tensor:
        return _empty_images(like, self.dtype, self.batch, channels, side, side)


class Tiles(Algorithm):
    """Winograd's, for C and K that are multiples of LANES.

    v [points, tiles, 4 C], u [points, K, 4 C], m [points, tiles, K].
    """

    @property
    def _count(self) -> tuple[int, int]:
        """Points, tiles."""
        rows, columns = self._tile
        tiles = self.batch * (self.side // 2) ** 2 // (rows * columns)
        return (rows + 1) * (columns + 1), tiles

    def _points(self, like: Tensor, channels: int) -> Tensor:
        return like.new_empty(*self._count, channels, dtype=self.dtype)

    def tiles(self, x: Tensor) -> Tensor:
        v = self._points(x, 4 * self.C)
        self._call("tiles", _dense(x), v, self.batch, self.side, self.C)
        return v

    def tiles_T(self, v: Tensor) -> Tensor:
        x = self._images(v, self.C, self.side)
        self._call("tiles_T", v, x, self.batch, self.side, self.C)
        return x

    def weights(self, w: Tensor) -> Tensor:
        rows, columns = self._tile
        u = w.new_empty((rows + 1) * (columns + 1), self.K, 4 * self.C, dtype=self.dtype)
        self._call("weights", _dense(w), u, self.K, self.C)
        return u

    def weights_T(self, u: Tensor) -> Tensor:
        w = _empty_images(u, torch.float32, self.K, self.C, 4, 4)
        self._call("weights_T", u, w, self.K, self.C)
        return w

    def outputs(self, m: Tensor) -> Tensor:
        y = self._images(m, self.K, self.side // 2)
        self._call("outputs", m, y, self.batch, self.side // 2, self.K)
        return y

    def outputs_T(self, y: Tensor) -> Tensor:
        m = self._points(y, self.K)
        self._call("outputs_T", _dense(y), m, self.batch, self.side // 2, self.K)
        return m


class Patches(Algorithm):
    """A product over patches of the image, for C = RGB.

    v [batch, side / 2 · side / 2, 4 · 4 · C], u [1, K, 4 · 4 · C], and m is y. The gradient of u
    comes as one for each image, since a single sum over all pixels would lose bits.
    """

    def tiles(self, x: Tensor) -> Tensor:
        v = x.new_empty(self.batch, self.side**2 // 4, 16 * RGB, dtype=self.dtype)
        self._call("patches", _dense(x), v, self.batch, self.side)
        return v

    def tiles_T(self, v: Tensor) -> Tensor:
        x = self._images(v, RGB, self.side)
        self._call("patches_T", v, x, self.batch, self.side)
        return x

    def weights(self, w: Tensor) -> Tensor:
        return flat_of(w)[None].to(self.dtype)

    def weights_T(self, u: Tensor) -> Tensor:
        return u.float().sum(0).view(self.K, 4, 4, RGB).permute(0, 3, 1, 2)

    def outputs(self, m: Tensor) -> Tensor:
        return images_of(m.flatten(0, 1), self.batch)

    def outputs_T(self, y: Tensor) -> Tensor:
        return _dense(y).permute(0, 2, 3, 1).view(self.batch, -1, self.K)


def _dense(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _empty_images(like: Tensor, dtype: torch.dtype, *shape: int) -> Tensor:
    channels_last = torch.channels_last
    return torch.empty(shape, dtype=dtype, device=like.device, memory_format=channels_last)


def choose_algorithm(batch: int, C: int, K: int, side: int, dtype: torch.dtype) -> Algorithm | None:
    """None where neither way can be taken."""
    if dtype not in (torch.float32, torch.bfloat16):
        return None
    if C == RGB:
        return Patches(batch, C, K, side, dtype)
    fits = C % LANES == 0 and K % LANES == 0 and side % 8 == 0
    return Tiles(batch, C, K, side, dtype) if fits else None


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, algorithm: Algorithm) -> Tensor:
        v, u = algorithm.tiles(x), algorithm.weights(w)
        ctx.algorithm = algorithm
        ctx.save_for_backward(v if ctx.needs_input_grad[1] else None, u)
        return algorithm.outputs(v @ u.mT)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        v, u = ctx.saved_tensors
        dm = ctx.algorithm.outputs_T(dy)
        dx = ctx.algorithm.tiles_T(dm @ u) if ctx.needs_input_grad[0] else None
        dw = ctx.algorithm.weights_T(dm.mT @ v) if ctx.needs_input_grad[1] else None
        return dx, dw, None


class _TransposedConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, w: Tensor, algorithm: Algorithm) -> Tensor:
        m, u = algorithm.outputs_T(y), algorithm.weights(w)
        ctx.algorithm = algorithm
        ctx.save_for_backward(m if ctx.needs_input_grad[1] else None, u)
        return algorithm.tiles_T(m @ u)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dx: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        m, u = ctx.saved_tensors
        dv = ctx.algorithm.tiles(dx)
        dy = ctx.algorithm.outputs(dv @ u.mT) if ctx.needs_input_grad[0] else None
        dw = ctx.algorithm.weights_T(m.mT @ dv) if ctx.needs_input_grad[1] else None
        return dy, dw, None


def _working_dtype(x: Tensor) -> torch.dtype:
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype


def halve(x: Tensor, w: Tensor) -> Tensor | None:
    """conv2d(x, w, stride=2, padding=1).

    x [B, C, S, S], w float32 [K, C, 4, 4] -> [B, K, S / 2, S / 2].
    In autocast's dtype where that is on. None for sizes that it cannot do.
    """
    (batch, C, side, _), dtype = x.shape, _working_dtype(x)
    algorithm = choose_algorithm(batch, C, w.shape[0], side, dtype)
    return None if algorithm is None else _Convolution.apply(x.to(dtype), w, algorithm)


def double(y: Tensor, w: Tensor) -> Tensor | None:
    """conv_transpose2d(y, w, stride=2, padding=1).

    y [B, K, S, S], w float32 [K, C, 4, 4] -> [B, C, 2 S, 2 S].
    In autocast's dtype where that is on. None for sizes that it cannot do.
    """
    (batch, K, side, _), dtype = y.shape, _working_dtype(y)
    algorithm = choose_algorithm(batch, w.shape[1], K, 2 * side, dtype)
    return None if algorithm is None else _TransposedConvolution.apply(y.to(dtype), w, algorithm)
