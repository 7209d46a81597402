"""Files are written in a thread of their own, from copies, while the training goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

PENDING = 512 * 2**20  # bytes of copies that may wait to be written

Tensors = dict[str, Tensor]


class HostCopy:
    """Copies of tensors, as they are now, in the host's memory. A GPU makes them on its way."""

    def __init__(self, tensors: Tensors) -> None:
        on_gpu = any(tensor.is_cuda for tensor in tensors.values())
        # Non-blocking copies from a GPU come to lie in pinned memory, so that nobody waits for them
        self._copies = {
            name: tensor.detach().to("cpu", non_blocking=on_gpu, copy=True)
            for name, tensor in tensors.items()
        }
        self.nbytes = sum(copy.nbytes for copy in self._copies.values())
        self._made = torch.cuda.Event(blocking=True) if on_gpu else None
        if self._made:
            self._made.record()

    def wait(self) -> Tensors:
        """The copies, once they are made."""
        if self._made:
            self._made.synchronize()
        return self._copies


class Writer:
    """Does jobs one after the other in a thread. What one raises is raised where the work goes on,
    and those after it are not done.

    Its block ends when the last job has, however the block is left; or, if the process is told to
    end at once, when the one at work has.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._jobs: deque[tuple[int, Future[Any]]] = deque()
        self._failed = False

    def submit(self, copy: HostCopy, job: Callable[[Tensors], Any]) -> Future[Any]:
        """Have job(the copies) done after the jobs before it. Waits if too much is waiting.

        What it returns is known to every job after it.
        """
        future = self._thread.submit(self._do, copy, job)
        self._jobs.append((copy.nbytes, future))
        while self._jobs and (self._jobs[0][1].done() or self._waiting() > PENDING):
            self._jobs.popleft()[1].result()
        return future

    def _do(self, copy: HostCopy, job: Callable[[Tensors], Any]) -> Any:
        if self._failed:
            return None
        try:
            return job(copy.wait())
        except BaseException:
            self._failed = True
            raise

    def _waiting(self) -> int:
        return sum(nbytes for nbytes, _ in self._jobs)

    @property
    def busy(self) -> bool:
        """Whether a job is not done yet."""
        return any(not future.done() for _, future in self._jobs)

    def finish(self) -> None:
        """Wait until every job is done."""
        while self._jobs:
            self._jobs.popleft()[1].result()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.shutdown(cancel_futures=isinstance(error, SystemExit))
        if error is None:
            self.finish()
