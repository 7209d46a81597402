"""Whether a training fits the memory: on a CPU by an estimate, on a GPU by trying.

A CPU's memory is not refused to who asks for too much: when it is used up, the system kills.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import torch
from torch import nn

from ganface.config.settings import TrainConfig
from ganface.errors import WorkError, is_out_of_memory
from ganface.models.dcgan import Discriminator, Generator, SelfModulatedBatchNorm
from ganface.models.kernels.winograd import RGB, choose_method
from ganface.models.layers import DownConv, LatentProjection, UpConv
from ganface.system.device import DTYPES, Compute
from ganface.training.batches import Inputs
from ganface.training.checkpoint import Training
from ganface.training.graph import restored_afterwards

FLOAT = 4  # bytes
CODE = 100 * 10**6  # bytes that PyTorch takes for itself when it first computes
# Copies of a checkpoint while it is written: as it was, dense, as bytes, and twice as a file
COPIES = 5
AUGMENTED = 6  # copies of a batch while it is augmented, or kept of that for its gradients
# glibc takes what is smaller from a heap, where it leaves gaps: measured, a third of it
HEAPED, GAPS = 32 * 2**20, 4 / 3


def estimate(
    config: TrainConfig, size: int, precision: str, compiled: bool, batch_size: int
) -> int:
    """Bytes that training on a CPU takes at its peak, beyond those taken before it begins.

    The peak is where D has seen reals and fakes and its gradients are about to be computed: what
    autograd keeps of a pass is freed again by and by, and G's comes later and is smaller.
    """
    with torch.device("meta"):  # shapes that take no memory
        G = Generator(size, config.z_dim, config.width, config.upsample, config.modulate)
        D = Discriminator(size, config.width, config.norm)
    g, d = (FLOAT * sum(p.numel() for p in network.parameters()) for network in (G, D))
    checkpoint = 2 * g + d + 2 * (g + d)  # G, G_ema, D; Adam's moments
    gradients = g + d

    image = batch_size * RGB * size**2  # bytes of a batch as it comes
    # As bytes and as numbers, for each of D's updates; then reals and fakes as D sees them
    images = config.d_steps * (image + held(FLOAT * image)) + 2 * held(FLOAT * image)
    if config.augment != "off":
        images += AUGMENTED * held(FLOAT * image)

    dtype = DTYPES[precision]
    graph = kept(G, 0, batch_size, dtype, compiled) + 2 * kept(D, size, batch_size, dtype, compiled)
    # Of a penalty, by PyTorch's kernels: images and D's pass, their gradients, and those of these
    penalties = bool(config.r1) + bool(config.r2) + (config.loss == "wgan-gp")
    once = held(FLOAT * image) + kept(D, size, batch_size, torch.float32, False)
    graph += 3 * penalties * once
    return CODE + (1 + COPIES) * checkpoint + gradients + images + graph


def kept(network: nn.Module, side: int, batch: int, dtype: torch.dtype, compiled: bool) -> int:
    """Bytes that autograd keeps of a pass until its gradients are computed.

    side: of the images that D sees; of no meaning for G.
    """
    total = output = 0
    for layer in network.layers:
        before = side
        if isinstance(layer, LatentProjection):
            side = 4
        elif isinstance(layer, UpConv):
            side *= 2
        elif isinstance(layer, DownConv):
            side //= 2
        if isinstance(layer, (LatentProjection, UpConv, DownConv)):
            # Kept by what follows: a norm, or an activation that works in place
            output = held(batch * layer.out_channels * side**2 * dtype.itemsize)
            total += output
        elif isinstance(layer, nn.BatchNorm2d):
            total += output
        elif isinstance(layer, SelfModulatedBatchNorm):
            total += 2 * output  # normalised, then scaled
        if compiled and isinstance(layer, (UpConv, DownConv)):
            transposed = isinstance(layer, UpConv)
            K, C = layer.in_channels, layer.out_channels
            if not transposed:
                K, C = C, K
            method = choose_method(batch, C, K, max(side, before), dtype)
            total += held(method.kept(transposed) * dtype.itemsize) if method else 0
    return total


def held(count: int) -> int:
    """Bytes that a tensor of `count` bytes costs."""
    return round(count * GAPS) if count < HEAPED else count


def smaller(batch_size: int, processes: int = 1) -> Iterator[int]:
    """Smaller batch sizes down to 2, of a power of two for each process."""
    share = batch_size // processes
    for power in range((share - 1).bit_length() - 1, -1, -1):
        if processes << power >= 2:
            yield processes << power


Advance = Callable[[Inputs, bool], None]


def fit_to_memory(
    training: Training,
    config: TrainConfig,
    compute: Compute,
    inputs: Inputs,
    choose: Callable[[], Advance],
) -> Advance:
    """What `choose` gives, once it is found to fit the GPU's memory, with R1 and R2 as without.

    It is tried on `inputs`, which leaves no trace in `training`. Raises WorkError if it does not
    fit, and names a batch size that does.
    """

    def fits(batch_size: int) -> Advance | None:
        gc.collect()  # what a try before this one left
        torch.cuda.empty_cache()
        *batch, learning_rates, ema_weight = inputs
        part = [tensor[: config.d_steps * batch_size] for tensor in batch]
        advance = choose()
        try:
            with restored_afterwards(training):
                for apply_reg in sorted({False, bool(config.r1 or config.r2)}):
                    advance(Inputs(*part, learning_rates, ema_weight), apply_reg)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            scaler = compute.grad_scaler()  # in place of one that stopped half way
            scaler.load_state_dict(training.players.scaler.state_dict())
            training.players.scaler = scaler
            return None
        return advance

    advance = fits(config.batch_size)
    if advance:
        return advance
    problem = f"--batch-size {config.batch_size}: too large for the GPU's memory"
    if training.step:
        raise WorkError(f"{problem}; end other programs that use it, then --resume")
    found = next(filter(fits, smaller(config.batch_size)), None)
    advice = f"--batch-size {found} fits" if found else "so is 2; give a smaller --width"
    raise WorkError(f"{problem}; {advice}; begin anew, with another --out")
