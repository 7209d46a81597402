import os
from itertools import count, islice
from operator import neg

import pytest

from ganface.parallel import CHUNK, map_in_order

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
