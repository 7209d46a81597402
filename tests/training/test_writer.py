import threading

import pytest
import torch

from ganface.training import writer as writer_module
from ganface.training.writer import HostCopy, Writer


def nothing(_):
    pass


def fail(_):
    raise OSError("disk full")


@pytest.fixture
def gate():
    """A job waits for it, so that what comes after is sure to be waiting."""
    gate = threading.Event()
    yield gate
    gate.set()


def test_a_copy_is_of_the_moment_it_was_made(gate):
    tensor, seen = torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last), []
    with Writer() as writer:
        writer.submit(HostCopy({}), lambda _: gate.wait(600))
        writer.submit(HostCopy({"a": tensor}), seen.append)
        tensor += 1
        gate.set()
    (copies,) = seen
    assert torch.equal(copies["a"], torch.zeros(2, 3, 4, 4))
    assert copies["a"].stride() == tensor.stride()


def test_jobs_are_done_in_order_beside_the_main_thread_and_all_before_the_block_ends():
    done = []
    with Writer() as writer:
        for number in range(50):
            writer.submit(
                HostCopy({}), lambda _, number=number: done.append((number, threading.get_ident()))
            )
        writer.finish()
        assert len(done) == 50
        writer.submit(HostCopy({}), lambda _: done.append((50, threading.get_ident())))
    assert [number for number, _ in done] == list(range(51))
    assert threading.get_ident() not in {thread for _, thread in done}


def test_an_error_of_a_job_comes_up_at_the_end_of_the_block_at_the_latest():
    with pytest.raises(OSError, match="disk full"), Writer() as writer:
        writer.submit(HostCopy({}), fail)


def test_an_error_of_a_job_comes_up_with_a_later_one():
    with Writer() as writer:
        with pytest.raises(OSError, match="disk full"):  # noqa: PT012
            for job in (fail, *[nothing] * 10_000):
                writer.submit(HostCopy({}), job)
        writer.finish()


def test_jobs_are_done_even_if_the_block_ends_by_an_error_which_is_the_one_to_see(gate):
    done = []
    with pytest.raises(ValueError, match="first"), Writer() as writer:  # noqa: PT012
        writer.submit(HostCopy({}), lambda _: gate.wait(600))
        writer.submit(HostCopy({}), done.append)
        writer.submit(HostCopy({}), fail)
        gate.set()
        raise ValueError("first")
    assert len(done) == 1


def test_only_so_many_bytes_wait(monkeypatch, gate):
    monkeypatch.setattr(writer_module, "PENDING", 100)
    copy = HostCopy({"a": torch.zeros(10)})
    assert copy.nbytes == 40
    done = []
    with Writer() as writer:
        writer.submit(copy, lambda _: gate.wait(600))
        writer.submit(copy, done.append)
        threading.Timer(0.05, gate.set).start()
        writer.submit(copy, done.append)  # the third must wait until the first is done
        assert gate.is_set()


def test_a_writer_is_busy_until_its_last_job_is_done(gate):
    with Writer() as writer:
        assert not writer.busy
        writer.submit(HostCopy({}), lambda _: gate.wait(600))
        assert writer.busy
        gate.set()
        writer.finish()
        assert not writer.busy
