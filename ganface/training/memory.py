"""Whether a training fits the memory: on a CPU by an estimate, on a GPU by trying.

Linux overcommits memory on a CPU, and kills the process later that uses what is not there.
"""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ganface.errors import WorkError, is_out_of_memory
from ganface.methods.base import Method, TrainState
from ganface.models.dcgan import DcganNetwork, Generator
from ganface.models.layers import use_compiled
from ganface.models.registry import build_network
from ganface.system.device import DTYPES, Compute
from ganface.training.batches import Inputs
from ganface.training.config import TrainConfig
from ganface.training.graph import restored_afterwards

RGB = 3
FLOAT = 4  # bytes
CODE = 100 * 10**6  # bytes that PyTorch takes for itself when it first computes
# Copies of a checkpoint while it is written: as it was, dense, as bytes, and twice as a file
COPIES = 5
# glibc takes what is smaller from a heap, where it leaves gaps: measured, a third of it
HEAPED, GAPS = 32 * 2**20, 4 / 3


def estimate(
    config: TrainConfig,
    size: int,
    precision: str,
    compiled: bool,
    batch_size: int,
    dataset: int = 0,
) -> int:
    """Bytes that training on a CPU takes at its peak, beyond those taken before it begins.

    dataset: how many images it holds.

    The peak is where the method has made its passes and gradients are about to be computed: what
    autograd keeps of a pass is freed again by and by.
    """
    method = config.build_method(size, Compute(torch.device("cpu"), precision))
    footprint = method.footprint()
    # A pass may be of a part of a network, which is built as one of its own
    roles = {*method.networks, *method.frozen}
    roles |= {role for role, _ in footprint.passes + footprint.penalties}
    with torch.device("meta"):  # shapes that take no memory
        built = {role: build_network(role, method.architecture) for role in roles}
    weights = {role: FLOAT * sum(p.numel() for p in built[role].parameters()) for role in roles}
    gradients = sum(weights[role] for role in method.networks)
    averages = sum(weights[role] for role in method.averaged)
    checkpoint = gradients + averages + 2 * gradients  # Adam has two moments
    checkpoint += sum(weights[role] for role in method.frozen)
    checkpoint += FLOAT * dataset * footprint.numbers_per_image

    image = batch_size * RGB * size**2  # bytes of a batch as it comes
    # As bytes and as numbers, for each batch; then what the method makes of them
    images = config.method.batches_per_update * (image + held(FLOAT * image))
    images += footprint.image_copies * held(FLOAT * image)

    def pass_of(role: str, dtype: torch.dtype, compiled: bool) -> int:
        return kept(built[role], batch_size, dtype, compiled)

    graph = sum(n * pass_of(role, DTYPES[precision], compiled) for role, n in footprint.passes)
    # Of a penalty, by PyTorch's kernels: images and a pass, their gradients, and those of these
    for role, count in footprint.penalties:
        graph += round(3 * count * (held(FLOAT * image) + pass_of(role, DTYPES[precision], False)))
    return CODE + (1 + COPIES) * checkpoint + gradients + images + graph


def kept(network: DcganNetwork, batch: int, dtype: torch.dtype, compiled: bool) -> int:
    """Bytes that autograd keeps of a pass until its gradients are computed, beside its input.

    network: on the meta device, where tensors have shapes and no memory.
    """
    config = network.config
    if isinstance(network, Generator):
        given = torch.empty(batch, config.z_dim, dtype=dtype, device="meta")
    else:
        given = torch.empty(batch, RGB, config.size, config.size, dtype=dtype, device="meta")
        given = given.contiguous(memory_format=torch.channels_last)
    network = copy.deepcopy(network).to(dtype)
    use_compiled(network, compiled)
    storages: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        storages[tensor.untyped_storage()._cdata] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = network(given)  # holds the graph, which holds what is kept
    ours = {each.untyped_storage()._cdata for each in (given, *network.parameters())}
    del output
    return sum(held(t.untyped_storage().nbytes()) for key, t in storages.items() if key not in ours)


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
    state: TrainState,
    method: Method,
    config: TrainConfig,
    inputs: Inputs,
    choose: Callable[[], Advance],
) -> Advance:
    """What `choose` gives, once it is found to fit the GPU's memory, regularised as without.

    It is tried on `inputs`, which leaves no trace in `state`. Raises WorkError if it does not fit,
    and names a batch size that does.
    """

    def fits(batch_size: int) -> Advance | None:
        gc.collect()  # what a try before this one left
        torch.cuda.empty_cache()
        part = inputs.first(config.method.batches_per_update * batch_size)
        advance = choose()
        try:
            with restored_afterwards(state):
                for apply_reg in sorted({False, bool(method.reg_interval)}):
                    advance(part, apply_reg)
        except (RuntimeError, MemoryError) as error:
            # Where no algorithm of cuDNN's finds the memory that it needs, it finds none at all
            no_engine = "unable to find an engine" in str(error)
            if not (is_out_of_memory(error) or no_engine):
                raise
            scaler = method.compute.grad_scaler()  # in place of one that stopped half way
            scaler.load_state_dict(state.scaler.state_dict())
            state.scaler = scaler
            return None
        return advance

    batch_size = config.optimizer.batch_size
    advance = fits(batch_size)
    if advance:
        return advance
    problem = f"--batch-size {batch_size}: too large for the GPU's memory"
    if state.step:
        raise WorkError(f"{problem}; end other programs that use it, then --resume")
    found = next(filter(fits, smaller(batch_size)), None)
    advice = f"--batch-size {found} fits" if found else "so is 2; give a smaller --width"
    raise WorkError(f"{problem}; {advice}; begin anew, with another --out")
