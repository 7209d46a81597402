"""An update as a CUDA graph: captured once, then replayed with new inputs.

One by one, the kernels of an update take the host longer to launch than the GPU to run.
The recipe is "Whole-network capture" in PyTorch's notes on CUDA semantics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from ganface.training.batches import Inputs
from ganface.training.checkpoint import Training, tensors_of

WARM_UP = 3  # updates in which cuDNN chooses its kernels and Adam makes its state


class GraphedUpdate:
    """Does what `advance(inputs)` does to `training`, which must work in place, by replaying it."""

    def __init__(self, advance: Callable[[Inputs], None], training: Training) -> None:
        self._advance = advance
        self._training = training
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, inputs: Inputs) -> None:
        if self._graph is None:
            self._inputs = Inputs(*(tensor.clone() for tensor in inputs))
            self._graph = self._capture()
        for static, new in zip(self._inputs, inputs, strict=True):
            static.copy_(new)
        self._graph.replay()

    def _capture(self) -> torch.cuda.CUDAGraph:
        graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()
        with restored_afterwards(self._training):
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(WARM_UP):
                    self._advance(self._inputs)
            torch.cuda.current_stream().wait_stream(stream)
            # Gradients that are not there are made in the graph's own memory
            for player in (self._training.players.G, self._training.players.D):
                player.zero_grad(set_to_none=True)
            # thread_local: other threads may wait for the GPU, or pin memory, at the same time
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                self._advance(self._inputs)
        return graph


@contextmanager
def restored_afterwards(training: Training) -> Iterator[None]:
    """When the block ends or fails, the tensors of `training` and its scaler are as they
    were, in the same memory."""
    before = {name: tensor.clone() for name, tensor in tensors_of(training).items()}
    scaler = training.players.scaler.state_dict()
    fresh = [adam for adam in (training.players.opt_G, training.players.opt_D) if not adam.state]
    try:
        yield
    except BaseException:
        for adam in fresh:
            adam.state.clear()  # Adam takes one that is half made for a whole one
        raise
    finally:
        training.players.scaler.load_state_dict(scaler)
        with torch.no_grad():
            for name, tensor in tensors_of(training).items():
                if name in before:
                    tensor.copy_(before[name])
                else:
                    tensor.zero_()  # Adam makes its state, all zeros, when it first steps
