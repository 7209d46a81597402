"""Run a function over many items on all cores, in order: in processes or in threads."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 32  # items handed to a worker at once


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """Yield function(item) for each item, holding only a few results at a time.

    `function` must be picklable, its module light to import.
    Few items are done in this process, since starting others would take longer.
    """
    items = iter(items)
    workers = workers or os.cpu_count() or 1
    first = list(islice(items, 4 * CHUNK))
    if workers == 1 or len(first) < 4 * CHUNK:
        yield from map(function, first)
        yield from map(function, items)
        return

    items = chain(first, items)
    chunks = iter(lambda: list(islice(items, CHUNK)), [])
    # spawn everywhere: it is the one way that works on all systems and after threads have started
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _ignore_interrupts) as pool:
        try:
            pending = deque(
                pool.submit(_apply, function, chunk) for chunk in islice(chunks, 3 * workers)
            )
            while pending:
                yield from pending.popleft().result()
                pending.extend(pool.submit(_apply, function, chunk) for chunk in islice(chunks, 1))
        finally:
            pool.shutdown(cancel_futures=True)


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


def _apply(function: Callable[[Item], Result], chunk: list[Item]) -> list[Result]:
    return [function(item) for item in chunk]


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of a terminal; the parent alone decides what follows."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
