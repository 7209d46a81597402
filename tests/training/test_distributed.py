"""Training by two processes, which gloo connects, through torchrun; and who is who among them."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from operator import attrgetter, itemgetter

import pytest
import torch
import worker
from conftest import PATIENCE, TINY, train_config
from processes import start as start_process
from safetensors.torch import load_file

from ganface.dataset.order import DataOrder
from ganface.dataset.pack import HEADER_BYTES, Pack
from ganface.errors import UserError
from ganface.io.run import Run
from ganface.io.tensors import read_tensors
from ganface.losses.adversarial import hinge_loss_D
from ganface.system.device import Compute
from ganface.training.batches import Batches, normalise
from ganface.training.checkpoint import restore
from ganface.training.config import TrainConfig
from ganface.training.distributed import Processes, this_process
from ganface.training.start import create

CPU = Compute(torch.device("cpu"), "fp32")
TWO = (Processes(0, 2, 0), Processes(1, 2, 1))
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2")
torchrun = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and gloo")


@contextmanager
def started(*arguments):
    """A command under torchrun, which does not outlive the block."""
    process = subprocess.Popen(
        [*TORCHRUN, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def pair(*arguments, preexec_fn=lambda: None):
    """A command as two processes, told what torchrun tells them; they do not outlive the block."""
    store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    shared |= {"MASTER_ADDR": store.host, "MASTER_PORT": str(store.port)}
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    both = []
    try:
        for rank in ("0", "1"):
            env = {**os.environ, **shared, "RANK": rank, "LOCAL_RANK": rank}
            both.append(start_process(*arguments, env=env, preexec_fn=preexec_fn, **options))
        yield both
    finally:
        for process in both:
            process.kill()
            process.communicate()


# ---------------------------------------------------------------------------- who is who


def environment(monkeypatch, rank, count):
    for name, value in (("RANK", rank), ("WORLD_SIZE", count), ("LOCAL_RANK", rank)):
        monkeypatch.setenv(name, str(value))


def test_without_torchrun_there_is_one_process_and_nothing_to_agree_on():
    alone = this_process()
    assert alone == Processes()
    assert alone.is_main
    assert alone.shard(7) == slice(0, 7)
    assert alone.all_reduce_max(5) == 5
    assert alone.all_equal(5)
    assert list(alone.in_turn()) == [True, False, False]
    tensor = torch.ones(2)
    alone.all_reduce_mean(tensor)
    assert torch.equal(tensor, torch.ones(2))


def test_torchrun_says_who_is_who(monkeypatch):
    environment(monkeypatch, 2, 4)
    assert this_process() == Processes(2, 4, 2)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert this_process() == Processes(2, 4, 2, 3)
    assert not this_process().is_main


def test_the_shares_of_a_batch_are_its_parts_in_order(pack_file):
    config, pack = train_config(batch_size=12, z_dim=5), Pack(pack_file)
    method, _ = create(config, 32, CPU)
    whole = Batches(pack, config, method, False, False).at(9)
    shares = [Processes(rank, 3, rank).shard(12) for rank in range(3)]
    for resident, ahead in ((False, False), (True, False), (False, True)):
        parts = [Batches(pack, config, method, resident, ahead, share).at(9) for share in shares]
        for name in ("images", "indices", "flips"):
            value = attrgetter(name) if name == "images" else itemgetter(name)
            assert torch.equal(torch.cat([value(part) for part in parts]), value(whole))
        for name, noise in whole.noise.items():
            assert torch.equal(torch.cat([part.noise[name] for part in parts]), noise)


def test_a_gpu_belongs_to_each_process_and_a_process_without_one_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    gpu = torch.device("cuda")
    assert TWO[1].own(gpu) == torch.device("cuda", 1)
    assert Processes().own(gpu) == gpu
    assert TWO[1].own(CPU.device) == CPU.device
    with pytest.raises(UserError, match="more processes than this machine's 2 GPUs"):
        Processes(2, 3, 2).own(gpu)
    with pytest.raises(UserError, match="--device mps: for one process only"):
        TWO[0].own(torch.device("mps"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--batch-size", 9), "--batch-size 9: cannot be split evenly over 2 processes"),
        (("--sync-batchnorm",), "--sync-batchnorm: PyTorch does it on GPUs only"),
    ],
)
def test_what_two_processes_cannot_do_is_refused(pack_file, invoke, monkeypatch, options, message):
    environment(monkeypatch, 0, 2)
    assert message in invoke("train", pack_file, *TINY, *options).refused()


def test_only_the_first_process_shows_the_plan(pack_file, invoke, monkeypatch):
    for rank, lines in ((0, True), (1, False)):
        environment(monkeypatch, rank, 2)
        assert bool(invoke("train", pack_file, *TINY, "--dry-run").done()) == lines


# ---------------------------------------------------------------------------- two processes


def go_on_by_hand(training, feeds, step):
    """One update with the mean of the gradients of two half batches."""
    G, D = training.networks["G"], training.networks["D"]
    halves = []
    for inputs in (feed.at(step) for feed in feeds):
        fakes = G(inputs.noise["z"])
        reals = normalise(inputs.images, inputs["flips"])
        loss = hinge_loss_D(D(reals), D(fakes.detach()))
        halves.append((fakes, torch.autograd.grad(loss, list(D.parameters()))))
    move(D, training.optimizers["D"], [gradients for _, gradients in halves])
    gradients = [torch.autograd.grad(-D(fakes).mean(), list(G.parameters())) for fakes, _ in halves]
    move(G, training.optimizers["G"], gradients)


def move(network, optimiser, gradients):
    for parameter, *parts in zip(network.parameters(), *gradients, strict=True):
        parameter.grad = sum(parts) / len(parts)
    optimiser.param_groups[0]["lr"].fill_(2e-4)
    optimiser.step()


BUFFERS = ("running_mean", "running_var", "num_batches_tracked")  # of BatchNorm, each its own


def differences(folder):
    """The tensors that two processes did not end with alike, and those of the first."""
    one, other = (load_file(folder / f"rank-{rank}.safetensors") for rank in (0, 1))
    shared = [name for name in one if not name.endswith(BUFFERS)]
    return [name for name in shared if not torch.equal(one[name], other[name])], one


@torchrun
def test_two_processes_go_on_as_one_until_one_is_told_to_stop_and_one_goes_on(
    faces, tmp_path, invoke
):
    run, cache = Run(tmp_path / "run"), tmp_path / "cache"
    train = ("train", faces, "--out", run.path, "--resume")
    plainly = ("--loss", "hinge", "--r1", 0, "--augment", "off")
    invoke(*train, *TINY, *plainly, "--seeds", "0-3", "--steps", 2).done()

    # Two processes, which have to read the images anew; the second alone is stopped at step 5
    program = (worker.__file__, 5, tmp_path)
    options = ("--cache", cache, "--steps", 1000, "--checkpoint-every", 4)
    with started(*program, *train, *options) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert out == ""
    assert err.count("going on from step 2") == err.count("2 processes on CPU") == 1
    assert [line for line in err.splitlines() if line.startswith("ganface: ")] == [
        "ganface: stopped at step 5; a checkpoint is saved. To go on: torchrun … -m ganface train "
        f"{faces} --out {run.path} --resume --cache {cache}"
    ]
    assert list(run.checkpoints()) == [2, 4, 5]

    # Both end with the same weights, which are those of the whole batch's gradients
    different, one = differences(tmp_path)
    assert different == []
    config = TrainConfig.stored(json.loads(run.config.read_text())["train"])
    (pack,) = (Pack(path) for path in cache.rglob("*.safetensors"))
    method, training = create(config, 32, CPU)
    restore(training, *read_tensors(run.checkpoint(2), "checkpoint"))
    feeds = [Batches(pack, config, method, False, False, process.shard(8)) for process in TWO]
    for step in (3, 4, 5):
        go_on_by_hand(training, feeds, step)
    for name, network in training.networks.items():
        for key, parameter in network.named_parameters():
            torch.testing.assert_close(one[f"{name}.{key}"], parameter.detach())

    result = invoke(*train, "--cache", cache, "--steps", 10)
    assert result.code == 0
    assert "going on from step 5" in result.err
    assert [json.loads(line)["step"] for line in run.stats.read_text().splitlines()] == [2, 10]


@pytest.mark.skipif(sys.platform != "linux", reason="prepares a copied process")
@pytest.mark.parametrize(
    ("options", "adapted"),
    [
        (("--r1", 1, "--augment", "adaptive"), "augment_p"),
        (("--method", "energy", "--ascent-steps", 3), "ascent_steps"),
    ],
)
def test_two_processes_agree_on_penalties_and_on_what_adapts_to_how_much_D_gets_right(
    faces, tmp_path, options, adapted
):
    train = ("train", faces, "--out", tmp_path / "run", "--cache", tmp_path / "cache")
    train += (*TINY, *options)
    with pair(*train, preexec_fn=partial(worker.prepare, 17, tmp_path)) as both:  # R1 comes at 16
        for process in both:
            process.communicate(timeout=PATIENCE)
    different, one = differences(tmp_path)
    assert different == []
    assert adapted in one


@torchrun
def test_an_error_of_one_process_ends_both(tmp_path, pack_file):
    # At a step of which no image is among those that both examine from the start
    seen_by_second = DataOrder(0, 100, 8).indices_at(10)[TWO[1].shard(8)][0].item()
    data = bytearray(pack_file.read_bytes())
    data[HEADER_BYTES + seen_by_second * 3 * 32 * 32] ^= 1
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(data)
    with pair("train", damaged, "--out", tmp_path / "run", *TINY) as both:
        errors = [process.communicate(timeout=PATIENCE)[1] for process in both]
    assert [process.returncode for process in both] == [1, 1]
    said = [line for err in errors for line in err.splitlines() if line.startswith("ganface: ")]
    assert any(f"image {seen_by_second} is damaged" in line for line in said)
    assert any("process 0 of 2 lost another one" in line for line in said)
