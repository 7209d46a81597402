import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import count, islice
from operator import neg

import pytest
import torch
from conftest import PATIENCE

from ganface.errors import WorkError
from ganface.system import parallel
from ganface.system.parallel import map_in_order, map_in_threads

CHUNK = 32  # what a worker is handed at once, if nothing else is said
MANY = 4 * CHUNK + 5


def process_of(_):
    return os.getpid()


def fail_at_100(number):
    if number == 100:
        raise LookupError("no 100")
    return number


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("length", [0, 1, 4 * CHUNK, MANY])
def test_results_come_in_the_order_of_the_items(workers, length):
    assert list(map_in_order(neg, range(length), workers)) == [-i for i in range(length)]


def test_many_items_are_shared_out_to_other_processes_and_few_are_not():
    assert os.getpid() not in set(map_in_order(process_of, range(MANY), 2))
    assert set(map_in_order(process_of, range(10), 2)) == {os.getpid()}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_function_reaches_the_caller(workers):
    with pytest.raises(LookupError, match="no 100"):
        list(map_in_order(fail_at_100, range(MANY), workers))


@pytest.mark.parametrize("workers", [1, 2])
def test_items_are_taken_only_as_results_are_asked_for(workers):
    results = map_in_order(neg, count(), workers)
    assert list(islice(results, MANY)) == [-i for i in range(MANY)]
    results.close()


# Signals to raise in the workers: 0 is none
DEADLY = [9 if number in (5, 100) else 0 for number in range(MANY)]


@pytest.mark.parametrize("length", [6, MANY])
def test_an_item_that_kills_its_process_is_lost_and_no_other(length):
    results = map_in_order(signal.raise_signal, DEADLY[:length], 2, lost="lost")
    assert list(results) == ["lost" if number else None for number in DEADLY[:length]]


def test_a_process_that_dies_is_one_line_where_nothing_may_be_lost():
    with pytest.raises(WorkError, match="a process died at its work"):
        list(map_in_order(signal.raise_signal, DEADLY, 2))


def test_processes_that_cannot_start_are_one_line_and_not_tried_for_each_item(monkeypatch):
    monkeypatch.setattr(parallel, "_begin_worker", os.abort)
    with pytest.raises(WorkError, match="die as soon as they start"):
        list(map_in_order(neg, range(MANY), 2, lost="lost"))


def test_workers_end_with_the_item_they_are_at_when_nobody_asks_for_results():
    results = map_in_order(time.sleep, [0] * CHUNK + [0.5] * MANY, 2)
    next(results)
    start = time.monotonic()
    results.close()
    assert time.monotonic() - start < 15  # all that they were handed would take 16
    assert multiprocessing.active_children() == []


def test_workers_end_with_a_parent_that_is_killed():
    code = """if True:
        import time
        from ganface.system.parallel import map_in_order
        results = map_in_order(time.sleep, [0] * 32 + [60] * 200, 2)
        next(results)
        print("begun", flush=True)
        list(results)
    """
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout.readline() == b"begun\n"
        parent.kill()
        parent.communicate(timeout=PATIENCE)  # which ends when no worker is left that could write


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_threads_give_results_in_order_and_each_has_a_core_of_its_own():
    meeting = threading.Barrier(3)

    def work(item):
        meeting.wait(PATIENCE)  # passed only if three are at work at once
        return item, torch.get_num_threads()

    assert list(map_in_threads(work, range(9))) == [(item, 1) for item in range(9)]
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_an_error_in_a_thread_reaches_the_caller():
    with pytest.raises(LookupError, match="no 100"):
        list(map_in_threads(fail_at_100, range(MANY)))
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_threads_begin_nothing_new_once_nobody_asks_for_results():
    begun = []

    def work(item):
        begun.append(item)
        time.sleep(0.002)

    results = map_in_threads(work, range(1000))
    next(results)
    results.close()
    after = len(begun)
    assert after < 1000
    time.sleep(0.01)
    assert len(begun) == after


def test_a_process_that_cannot_be_started_is_an_error_in_words(monkeypatch):
    def refuse(*_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(parallel.ProcessPoolExecutor, "submit", refuse)
    with pytest.raises(WorkError, match="no process can be started"):
        list(map_in_order(neg, range(MANY), 2))
