"""What a training will take: memory, and time by some updates that leave no trace."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch

from ganface.config.dataset import BuildConfig
from ganface.dataset.pack import Pack, write_pack
from ganface.methods.base import Method, TrainState
from ganface.system.device import choose_kernels
from ganface.training.batches import Batches
from ganface.training.distributed import Processes
from ganface.training.loop import choose_update
from ganface.training.memory import Advance, fit_to_memory
from ganface.training.plan import Plan
from ganface.training.start import compile_kernels, create_for

IMAGES = 256  # of noise, at least
SECONDS, ROUNDS = 5.0, 50  # of trying, at most, if the first update is not longer


def seconds_per_update(plan: Plan, size: int) -> float:
    """How long an update takes here, by updates on images of noise, of `size` pixels.

    Pictures and scores are not in it, nor are labels. Writes nothing that stays. Raises WorkError
    if the GPU has too little memory.
    """
    config, device = plan.train, plan.compute.device
    with TemporaryDirectory() as folder, _caches_in(folder):
        pack = _noise(Path(folder) / "noise", size, max(IMAGES, config.images_per_step))
        choose_kernels(device, config.hardware.deterministic)
        compiled = compile_kernels(plan)
        method, state = create_for(pack, config, plan.compute, compiled)
        on_gpu = device.type == "cuda"
        batches = Batches(pack, config, method, on_gpu, on_gpu)
        choose = partial(choose_update, state, method, config, Processes())
        if plan.compute.raises_oom:
            advance = fit_to_memory(state, method, config, batches.at(1), choose)
        else:
            advance = choose()
        return _mean_of_updates(advance, batches, method, state)


def _mean_of_updates(
    advance: Advance, batches: Batches, method: Method, state: TrainState
) -> float:
    """Seconds. Those with regularisation count as often as they come, if one could be tried."""
    began = time.monotonic()
    times: dict[bool, list[float]] = {
        kind: [] for kind in sorted({False, bool(method.reg_interval)})
    }
    for kind in ROUNDS * [*times]:
        start = time.monotonic()
        state.step += 1
        advance(batches.at(state.step), kind)
        _wait_for(method.compute.device)
        times[kind].append(time.monotonic() - start)
        if time.monotonic() - began > SECONDS:
            break
    # The first takes longer, for memory and kernels are still to be found
    plain, *regularised = [median(taken[1:] or taken) for taken in times.values() if taken]
    return plain + sum(each - plain for each in regularised) / max(method.reg_interval, 1)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _noise(path: Path, size: int, count: int) -> Pack:
    dice = random.Random(0)
    with write_pack(path, BuildConfig(size=size)) as pack:
        for _ in range(count):
            pack.add(dice.randbytes(3 * size**2))
    return Pack(path)


@contextmanager
def _caches_in(folder: str) -> Iterator[None]:
    """Within the block, what is compiled is kept in `folder`."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = before
