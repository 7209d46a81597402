"""Trainings that a step of scripts/gpu_check drives by hand, in its own process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gpu_place import Place

if TYPE_CHECKING:
    from ganface.methods.base import Method, TrainState
    from ganface.system.device import Compute
    from ganface.training.batches import Batches, Inputs
    from ganface.training.config import TrainConfig


@dataclass
class Trainee:
    """A training that is driven by hand."""

    config: TrainConfig
    method: Method
    state: TrainState
    batches: Batches
    advance: Callable[[Inputs, bool], None]

    def run(self, first: int, last: int) -> None:
        """Updates `first` to `last`."""
        for step in range(first, last + 1):
            interval = self.method.reg_interval
            self.advance(self.batches.at(step), bool(interval) and step % interval == 0)
            self.state.summed += 1
            self.state.step = step

    def means(self) -> dict[str, float]:
        sums = self.state.tensors["sums"].tolist()
        return dict(zip(self.method.metrics, (s / self.state.summed for s in sums), strict=True))


def compute_of(place: Place, precision: str, graphed: bool = True) -> Compute:
    import torch

    from ganface.system.device import Compute

    class Eager(Compute):
        use_cuda_graph = False

    kind = Compute if graphed else Eager
    return kind(torch.device(place.device), precision)


def trainee(
    place: Place,
    settings: dict[str, Any],
    precision: str = "fp32",
    size: int | None = None,
    graphed: bool = True,
    resident: bool | None = None,
    labelled: bool = False,
) -> Trainee:
    from ganface.dataset.pack import Pack
    from ganface.training.batches import Batches, fits
    from ganface.training.config import TrainConfig
    from ganface.training.distributed import Processes
    from ganface.training.loop import choose_update
    from ganface.training.start import create_for

    amounts = place.amounts
    given = {"width": amounts.width, "batch_size": amounts.batch, **settings}
    config, pack = TrainConfig.of(given), Pack(place.labelled if labelled else place.pack(size))
    compute = compute_of(place, precision, graphed)
    method, state = create_for(pack, config, compute)
    if resident is None:
        resident = fits(pack, compute.device)
    batches = Batches(pack, config, method, resident, place.on_gpu)
    advance = choose_update(state, method, config, Processes())
    if graphed and not place.on_gpu:
        advance = stand_in(advance, state)
    return Trainee(config, method, state, batches, advance)


def stand_in(
    advance: Callable[[Inputs, bool], None], state: TrainState
) -> Callable[[Inputs, bool], None]:
    """For a CPU, which has no graphs: all that GraphedUpdate does but the capture."""
    from ganface.training.graph import WARM_UP, restored_afterwards

    held: list[Inputs] = []

    def replay(inputs: Inputs, apply_reg: bool) -> None:
        if not held:
            held.append(inputs.clone())
            with restored_afterwards(state):
                for _ in range(WARM_UP):
                    advance(held[0], apply_reg)
        held[0].copy_(inputs)
        advance(held[0], apply_reg)

    return replay


def wait(place: Place) -> None:
    import torch

    if place.on_gpu:
        torch.cuda.synchronize()


def kernels(place: Place, deterministic: bool) -> None:
    """Let the device take kernels that give the same bits every time, or its fastest ones."""
    import torch

    from ganface.system.device import choose_kernels

    choose_kernels(torch.device(place.device), deterministic)
