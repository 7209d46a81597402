"""Run a function over many items on all cores, in order: in processes or in threads."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, TypeVar

from ganface.errors import WorkError
from ganface.system.signals import deferred

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int | None = None,
    chunk: int = 32,
    lost: Result | None = None,
) -> Iterator[Result]:
    """Yield function(item) for each item, holding three times `chunk` results for each worker.

    `chunk` is how many items a worker is handed at once.
    For the main thread. `function` must be picklable, its module light to import.
    `lost` is what is yielded for an item that kills the process it is worked on in; without it
    WorkError is raised, and few items are done in this process, since starting others would take
    longer. One worker, if asked for, is this process itself, whatever the items do to it.
    """
    items = iter(items)
    first = list(islice(items, 4 * chunk))
    if workers == 1 or (lost is None and len(first) < 4 * chunk):
        yield from map(function, first)
        yield from map(function, items)
        return

    items = chain(first, items)
    chunks = iter(lambda: list(islice(items, chunk)), [])
    pending: deque[list[Item]] = deque()
    while True:
        try:
            yield from _in_pool(function, chunks, pending, workers or os.cpu_count() or 1)
            return
        except BrokenProcessPool:
            yield from _one_by_one(function, chain.from_iterable(pending), lost)
            pending.clear()


def _in_pool(
    function: Callable[[Item], Result],
    chunks: Iterator[list[Item]],
    pending: deque[list[Item]],
    workers: int,
) -> Iterator[Result]:
    """The results of all chunks. Where a process dies, those not given back are `pending`."""
    with _pool(workers) as pool:
        futures: deque[Future[list[Result]]] = deque()

        def submit(count: int) -> None:
            for chunk in islice(chunks, count):
                pending.append(chunk)  # first: a broken pool takes none
                futures.append(_submit(pool, _apply, function, chunk))

        submit(3 * workers)
        while futures:
            yield from futures.popleft().result()
            pending.popleft()
            submit(1)


def _one_by_one(
    function: Callable[[Item], Result], items: Iterable[Item], lost: Result | None
) -> Iterator[Result]:
    """Each item is the only one at work, so that it is known which one its process dies of."""
    queue = deque(items)
    while queue:
        with _pool(1) as pool:
            try:
                _submit(pool, int).result()
            except BrokenProcessPool:
                raise WorkError("processes die as soon as they start; is memory short?") from None
            try:
                while queue:
                    yield _submit(pool, function, queue[0]).result()
                    queue.popleft()
            except BrokenProcessPool:
                if lost is None:
                    raise WorkError("a process died at its work; is memory short?") from None
                queue.popleft()
                yield lost


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    # spawn everywhere: it is the one way that works on all systems and after threads have started
    context = multiprocessing.get_context("spawn")
    wanted, want = context.Pipe(duplex=False)
    with ProcessPoolExecutor(workers, context, _begin_worker, (wanted,)) as pool:
        try:
            yield pool
        finally:
            # The workers end by themselves. Were one killed while it writes a result, the pool
            # would wait for the rest of it for ever
            want.close()
            pool.shutdown(cancel_futures=True)
            wanted.close()


def _submit(
    pool: ProcessPoolExecutor, function: Callable[..., Result], *arguments: Any
) -> Future[Result]:
    """May start a process. Signals wait for that: one cut short would print its traceback."""
    try:
        with deferred():
            return pool.submit(function, *arguments)
    except OSError as error:
        raise WorkError(f"no process can be started ({error.strerror or error})") from error


def map_in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield function(item) for each item, for a `function` whose work is done by PyTorch or Pillow.

    Each thread does an item alone: networks then waste no time on sharing out every layer, and
    the cores are as busy with what PyTorch does not share out.
    """
    import torch

    workers = torch.get_num_threads()
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from pool.map(function, items)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(workers)


def map_on(
    device: torch.device, function: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """function(item) for each item, for a `function` that computes on a device: on the CPU in
    threads. A GPU does one after the other in any case, and each thread would set it up anew."""
    return map_in_threads(function, items) if device.type == "cpu" else map(function, items)


# ---------------------------------------------------------------------------- in a worker

_wanted: Connection  # polls true once the parent has closed its end: no results are wanted


def _begin_worker(wanted: Connection) -> None:
    global _wanted
    _wanted = wanted
    # Ctrl-C in a terminal reaches all its processes; the parent alone acts on it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name == "posix":
        os.setpgrp()
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
    # libtiff prints warnings about broken files; errors of Python reach the parent as objects
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when its parent has been killed, which cannot tell it to."""
    parent = multiprocessing.parent_process()
    assert parent  # this is a worker
    parent.join()
    os._exit(1)


def _apply(function: Callable[[Item], Result], chunk: list[Item]) -> list[Result]:
    return [function(item) for item in chunk if not _wanted.poll()]
