"""How long an update must take at least: its arithmetic and its memory traffic, counted from the
shapes of DCGAN's layers, and the rates at which this machine does either, measured.

Run with a device and a precision, prints both rates as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}


@dataclass(frozen=True)
class Layer:
    """A convolution with a 4 × 4 kernel, or a transposed one, between two square images."""

    channels: int
    side: int
    out_channels: int
    out_side: int

    @property
    def weights(self) -> int:
        return self.channels * self.out_channels * 16

    @property
    def activations(self) -> int:
        """Numbers that go in and come out, for one image."""
        return self.channels * self.side**2 + self.out_channels * self.out_side**2

    @property
    def multiply_adds(self) -> int:
        """For one image: each weight meets each position of the smaller side."""
        return self.weights * min(self.side, self.out_side) ** 2


def layers_of(role: str, size: int, z_dim: int, width: int) -> list[Layer]:
    """The convolutions of G or D, from a pass of one image without memory."""
    import torch

    from ganface.config.architecture import DcganConfig
    from ganface.models.registry import build_network

    config = DcganConfig(size=size, z_dim=z_dim, width=width, modulate=False)
    given = (1, z_dim) if role == "G" else (1, 3, size, size)
    layers = []

    def note(_: torch.nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        (_, channels, side, _), (_, out_channels, out_side, _) = inputs[0].shape, output.shape
        layers.append(Layer(channels, side, out_channels, out_side))

    with torch.device("meta"):
        network = build_network(role, config)
        for module in network.modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
                module.register_forward_hook(note)
        network.eval()(torch.empty(given))
    return layers


def passes(size: int, z_dim: int, width: int) -> list[tuple[Layer, int]]:
    """Each layer, and how often an update goes through it forward or backward.

    A backward pass for the weights and one for the inputs count each. D: forward on reals, fakes
    and, for G, fakes again; backward for the weights on reals and fakes; backward for the inputs on
    all three, but its first layer only for G. G: one of each, but none for z.
    """
    G, D = (layers_of(role, size, z_dim, width) for role in ("G", "D"))
    counts = [(layer, 8) for layer in D] + [(layer, 3) for layer in G]
    counts[0] = D[0], 6
    counts[len(D)] = G[0], 2
    return counts


def update_flops(size: int, z_dim: int, width: int, batch_size: int) -> int:
    """Floating-point operations of one update's convolutions; an addition counts as one."""
    return sum(
        2 * batch_size * layer.multiply_adds * count for layer, count in passes(size, z_dim, width)
    )


def update_bytes(size: int, z_dim: int, width: int, batch_size: int, precision: str) -> int:
    """The fewest bytes that one update reads and writes if caches hold nothing from pass to pass.

    Each pass moves its layer's input, output and weights once, and all that lies between two
    convolutions is fused into them. Adam reads four numbers for each weight and writes three,
    the average of G reads two and writes one; those are float32.
    """
    moved = sum(
        (batch_size * layer.activations + layer.weights) * count
        for layer, count in passes(size, z_dim, width)
    )
    G, D = (
        sum(layer.weights for layer in layers_of(role, size, z_dim, width)) for role in ("G", "D")
    )
    return moved * BYTES[precision] + (7 * (G + D) + 3 * G) * 4


def measure_rates(device: str, precision: str, side: int = 0) -> dict[str, float]:
    """{"flops", "bytes"} per second: the best of ten matrix products, of ten copies.

    side: of the matrices; if 0, as large as the device needs to show what it can.
    """
    import torch

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True  # as convolutions do unless told otherwise

    def best(work: Callable[[], object]) -> float:
        times = []
        for _ in range(11):  # the first one warms up
            began = time.perf_counter()
            work()
            if device != "cpu":
                torch.accelerator.synchronize()
            times.append(time.perf_counter() - began)
        return min(times[1:])

    n = side or (2048 if device == "cpu" else 8192)
    a, b = torch.randn(2, n, n, device=device).to(dtype).unbind()
    product = torch.empty_like(a)
    source = torch.zeros(2**29 if n > 1024 else 2**20, dtype=torch.uint8, device=device)
    target = torch.ones_like(source)
    return {
        "flops": 2 * n**3 / best(lambda: torch.mm(a, b, out=product)),
        "bytes": 2 * len(source) / best(lambda: target.copy_(source)),
    }


if __name__ == "__main__":
    print(json.dumps(measure_rates(*sys.argv[1:])))
