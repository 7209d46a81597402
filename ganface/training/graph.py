"""An update as a CUDA graph: captured, then replayed with new inputs.

One by one, the kernels of an update take the host longer to launch than the GPU to run.
The recipe is "Whole-network capture" in PyTorch's notes on CUDA semantics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from ganface.methods.base import TrainState
from ganface.training.batches import Inputs
from ganface.training.checkpoint import tensors_of

WARM_UP = 3  # updates in which cuDNN chooses its kernels and Adam makes its state


class GraphedUpdate:
    """Does what `advance(inputs, apply_reg)` does to `state`, in place, by replaying it.

    It is captured twice: with the method's regularisation, and without.
    """

    def __init__(self, advance: Callable[[Inputs, bool], None], state: TrainState) -> None:
        self._advance = advance
        self._state = state
        self._graphs: dict[bool, torch.cuda.CUDAGraph] = {}

    def __call__(self, inputs: Inputs, apply_reg: bool) -> None:
        if not self._graphs:
            self._inputs = inputs.clone()
            # Shared: no graph needs what another one, or an earlier replay, left in it
            self._pool = torch.cuda.graph_pool_handle()
        if apply_reg not in self._graphs:
            self._graphs[apply_reg] = self._capture(apply_reg)
        self._inputs.copy_(inputs)
        self._graphs[apply_reg].replay()

    def release(self) -> None:
        """Let go of the graphs."""
        self._graphs.clear()

    def _capture(self, apply_reg: bool) -> torch.cuda.CUDAGraph:
        graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()
        with restored_afterwards(self._state):
            stream.wait_stream(torch.cuda.current_stream())
            try:
                with torch.cuda.stream(stream):
                    for _ in range(WARM_UP):
                        self._advance(self._inputs, apply_reg)
            finally:  # what is restored must not be changed meanwhile
                torch.cuda.current_stream().wait_stream(stream)
            # Gradients that are not there are made in the graph's own memory
            for network in self._state.networks.values():
                network.zero_grad(set_to_none=True)
            # thread_local: other threads may wait for the GPU, or pin memory, at the same time
            with torch.cuda.graph(
                graph, self._pool, stream=stream, capture_error_mode="thread_local"
            ):
                self._advance(self._inputs, apply_reg)
        return graph


@contextmanager
def released(advance: Callable[[Inputs, bool], None]) -> Iterator[None]:
    """When the block ends or fails, graphs that `advance` replays are gone.

    NCCL does not end before those that hold its exchanges do, and the traceback of an error would
    keep them.
    """
    try:
        yield
    finally:
        if isinstance(advance, GraphedUpdate):
            advance.release()


@contextmanager
def restored_afterwards(state: TrainState) -> Iterator[None]:
    """When the block ends or fails, the tensors of `state` and its scaler are as they were, in the
    same memory."""
    before = {name: tensor.clone() for name, tensor in tensors_of(state).items()}
    scaler = state.scaler.state_dict()
    fresh = [adam for adam in state.optimizers.values() if not adam.state]
    try:
        yield
    except BaseException:
        for adam in fresh:
            adam.state.clear()  # Adam takes one that is half made for a whole one
        raise
    finally:
        state.scaler.load_state_dict(scaler)
        with torch.no_grad():
            for name, tensor in tensors_of(state).items():
                if name in before:
                    tensor.copy_(before[name])
                else:
                    tensor.zero_()  # Adam makes its state, all zeros, when it first steps
