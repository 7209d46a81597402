"""All but the capture itself: on a CPU a stand-in for the graph runs what it was given."""

from contextlib import nullcontext

import pytest
import torch
from conftest import train_config

from ganface.dataset.pack import Pack
from ganface.system.device import Compute
from ganface.training.batches import Batches
from ganface.training.checkpoint import tensors_of
from ganface.training.distributed import Processes
from ganface.training.graph import WARM_UP, GraphedUpdate, restored_afterwards
from ganface.training.loop import choose_update
from ganface.training.start import create

CPU = Compute(torch.device("cpu"), "fp32")
CONFIG = train_config(batch_size=8, width=4, z_dim=8)


def start():
    return create(CONFIG, 32, CPU)[1]


METHOD = create(CONFIG, 32, CPU)[0]


@pytest.fixture
def feed(pack_file):
    return Batches(Pack(pack_file), CONFIG, METHOD, False, False)


def updating(state):
    return choose_update(state, METHOD, CONFIG, Processes())


def copies(training):
    return {name: tensor.clone() for name, tensor in tensors_of(training).items()}


def assert_equal(one, other):
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize("before", [0, 2])
def test_what_was_undone_leaves_no_trace(feed, before):
    plain, other = start(), start()
    for training in (plain, other):
        for step in range(1, before + 1):
            updating(training)(feed.at(step), False)
    old = copies(other)
    addresses = {name: tensor.data_ptr() for name, tensor in tensors_of(other).items()}
    with restored_afterwards(other):
        for step in (7, 8, 9):
            updating(other)(feed.at(step), False)
        assert any(not torch.equal(old[name], tensors_of(other)[name]) for name in old)
    now = tensors_of(other)
    assert_equal(old, {name: now[name] for name in old})
    assert {name: now[name].data_ptr() for name in old} == addresses
    assert all(not now[name].any() for name in now.keys() - old.keys())

    for training in (plain, other):
        for step in (before + 1, before + 2):
            updating(training)(feed.at(step), False)
    assert_equal(tensors_of(plain), tensors_of(other))


def test_what_failed_half_way_leaves_no_half_of_adam_s_state(feed):
    plain, other = start(), start()

    def run_out_of_memory():
        adam = other.optimizers["D"]
        with restored_afterwards(other):
            adam.state[adam.param_groups[0]["params"][0]]["step"] = torch.tensor(0.0)
            raise MemoryError

    with pytest.raises(MemoryError):
        run_out_of_memory()
    for training in (plain, other):
        updating(training)(feed.at(1), False)
    assert_equal(tensors_of(plain), tensors_of(other))


@pytest.fixture
def stand_in(monkeypatch):
    """Streams that are none, and a graph whose replay calls what `captured` holds."""
    captured = []

    class Graph:
        def replay(self):
            captured[0]()

    class Stream:
        def wait_stream(self, _):
            pass

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", object)
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", nullcontext)
    monkeypatch.setattr(torch.cuda, "graph", lambda *_, **__: nullcontext())
    return captured


def test_replaying_an_update_is_the_same_as_doing_it(feed, stand_in):
    plain, other = start(), start()
    addresses = set()

    def advance(inputs, apply_reg):
        addresses.add(inputs.row.data_ptr())
        stand_in[:] = [lambda: advance(inputs, apply_reg)]
        in_plain_words(inputs, apply_reg)

    in_plain_words = updating(other)
    replayed = GraphedUpdate(advance, other)
    for step in range(1, 4):
        updating(plain)(feed.at(step), False)
        replayed(feed.at(step), False)
        assert_equal(tensors_of(plain), tensors_of(other))
    assert len(addresses) == 1  # a graph knows its inputs by their place


def test_each_kind_of_update_is_captured_once_after_its_warm_up(feed, stand_in):
    calls = []

    def advance(inputs, apply_reg):
        calls.append((inputs.row.data_ptr(), apply_reg))
        stand_in[:] = [lambda: None]

    replayed = GraphedUpdate(advance, start())
    for step in range(1, 5):
        replayed(feed.at(step), step % 2 == 0)
    (place,) = {place for place, _ in calls}  # both have the same inputs
    assert calls == [(place, kind) for kind in (False, True) for _ in range(WARM_UP + 1)]


def test_both_graphs_share_their_memory(feed, stand_in, monkeypatch):
    pools = []

    def capture(_, pool, **__):
        pools.append(pool)
        return nullcontext()

    monkeypatch.setattr(torch.cuda, "graph", capture)
    stand_in[:] = [lambda: None]
    replayed = GraphedUpdate(lambda *_: None, start())
    for apply_reg in (False, True):
        replayed(feed.at(1), apply_reg)
    assert len(pools) == 2
    assert pools[0] is pools[1]


@pytest.mark.usefixtures("stand_in")
def test_what_fails_while_warming_up_is_waited_for_before_it_is_undone(feed, monkeypatch):
    done = []

    class Stream:
        def wait_stream(self, _):
            done.append("waited")

    def fail(*_):
        done.append("failed")
        raise MemoryError

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    with pytest.raises(MemoryError):
        GraphedUpdate(fail, start())(feed.at(1), False)
    assert done == ["waited", "failed", "waited"]


@pytest.mark.parametrize(
    ("device", "precision", "graphed"),
    [
        ("cuda", "bf16", True),
        ("cuda", "fp32", True),
        ("cuda", "fp16", True),
        ("cpu", "bf16", False),
        ("mps", "fp32", False),
    ],
)
def test_an_update_is_a_graph_on_nvidia_s_gpus(device, precision, graphed):
    assert Compute(torch.device(device), precision).use_cuda_graph == graphed
