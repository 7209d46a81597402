"""What a snapshot or checkpoint must hold for its generator to be drawn, judged from its header.

It takes no PyTorch, so that a file which somebody else made is refused before anything is loaded.
"""

from __future__ import annotations

from pathlib import Path

from ganface.config.settings import TrainConfig, check_size
from ganface.errors import UserError
from ganface.io.tensors import Header, read_header
from ganface.system.free_memory import available, in_words

ARCHITECTURE = "dcgan"
HIDDEN = 32  # units of the networks that modulate G, as in their paper
PREFIXES = {"snapshot": "", "checkpoint": "G_ema."}  # of the names of the generator's tensors

Shapes = dict[str, tuple[int, ...]]


def doublings(size: int) -> int:
    """How often 4 × 4 is doubled to reach `size`. Raises UserError for a size not in SIZES."""
    check_size(size)
    return (size // 4).bit_length() - 1


def generator_shapes(
    size: int, z_dim: int, width: int, upsample: str = "transposed", modulate: bool = False
) -> Shapes:
    """The shapes in the state dict of the Generator with these arguments.

    Raises UserError for arguments that it is not made for.
    """
    TrainConfig(z_dim=z_dim, width=width, upsample=upsample, modulate=modulate)
    channels = width * 2 ** (doublings(size) - 1)
    side = {"transposed": 4, "nearest": 3}[upsample]

    shapes: Shapes = {"layers.0.weight": (z_dim, channels, 4, 4)}
    shapes |= _norm_shapes("layers.1", channels, z_dim, modulate)
    layer = 3
    while channels > width:
        shapes[f"layers.{layer}.weight"] = (channels, channels // 2, side, side)
        channels //= 2
        shapes |= _norm_shapes(f"layers.{layer + 1}", channels, z_dim, modulate)
        layer += 3
    return {**shapes, f"layers.{layer}.weight": (width, 3, side, side)}


def _norm_shapes(name: str, channels: int, z_dim: int, modulate: bool) -> Shapes:
    norm = f"{name}.norm" if modulate else name
    shapes: Shapes = {f"{norm}.num_batches_tracked": ()}
    shapes |= {f"{norm}.{each}": (channels,) for each in ("running_mean", "running_var")}
    if not modulate:
        return shapes | {f"{name}.{each}": (channels,) for each in ("weight", "bias")}
    shapes |= {f"{name}.hidden.weight": (HIDDEN, z_dim), f"{name}.hidden.bias": (HIDDEN,)}
    for each in ("scale", "shift"):
        shapes |= {f"{name}.{each}.weight": (channels, HIDDEN), f"{name}.{each}.bias": (channels,)}
    return shapes


def read_model_header(path: Path) -> Header:
    """The header of a snapshot or checkpoint. Raises UserError if its generator cannot be drawn."""
    header = read_header(path, *PREFIXES)
    needed, free = 2 * path.stat().st_size, available()  # the file, and its tensors
    if free is not None and needed > free:
        raise UserError(
            f"{path}: takes {in_words(needed)} of memory, and {in_words(free)} are free"
        )
    prefix = PREFIXES[header.meta["kind"]]
    try:
        described, step = header.meta["generator"].copy(), header.meta["step"]
        architecture = described.pop("architecture")
        if architecture != ARCHITECTURE:
            raise UserError(f"this ganface cannot draw the kind {architecture}")
        expected = {
            prefix + name: (shape, "F32" if shape else "I64")
            for name, shape in generator_shapes(**described).items()
        }
        there = {
            name: (tuple(tensor["shape"]), tensor["dtype"])
            for name, tensor in header.tensors.items()
            if name.startswith(prefix)
        }
        if there != expected or type(step) is not int or step < 0:
            raise ValueError
    except UserError as error:
        raise UserError(f"{path}: its generator cannot be made ({error})") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: its tensors do not fit the generator that it names") from error
    return header
