"""What does not fit the memory is refused before it begins, by a line that names what does."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import PATIENCE, TINY, call, train_config, tree

from ganface.dataset.pack import Pack
from ganface.errors import UserError, WorkError, is_out_of_memory
from ganface.io.run import Run
from ganface.methods.gan import Gan
from ganface.models import generate
from ganface.models.kernels.winograd import load_libraries
from ganface.models.layers import use_compiled
from ganface.models.registry import build_network
from ganface.system.compiler import CannotCompile
from ganface.system.device import DTYPES, Compute
from ganface.system.free_memory import available
from ganface.training import forecast, loop, memory, plan
from ganface.training.batches import Batches
from ganface.training.checkpoint import tensors_of
from ganface.training.config import TrainConfig
from ganface.training.distributed import Processes
from ganface.training.memory import estimate, fit_to_memory, kept, smaller
from ganface.training.start import create

MEGA = 2**20
CPU = torch.device("cpu")
ON = {precision: Compute(CPU, precision) for precision in DTYPES}
NO_LIMIT = 9223372036854771712


# ---------------------------------------------------------------------------- what is available


@pytest.fixture
def machine(tmp_path):
    """machine(**files): a file system of its own; `cgroup` and `mounts` of this process."""

    def make(cgroup="", mounts=(), **files):
        mounts = [f"31 23 0:28 {top} {point} rw - {kind}" for top, point, kind in mounts]
        files |= {"proc/self/cgroup": cgroup, "proc/self/mountinfo": "\n".join(mounts)}
        for name, text in files.items():
            path = tmp_path / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
        return tmp_path / "root"

    return make


FREE = {"proc/meminfo": "MemTotal: 24000 kB\nMemAvailable:    9000 kB\nSwapFree: 0 kB"}
V1 = ("/", "/sys/fs/cgroup/memory", "cgroup cgroup rw,memory")
V2 = ("/", "/sys/fs/cgroup", "cgroup2 cgroup2 rw,nsdelegate")


def v1(folder, limit, used, cache=0):
    folder = f"sys/fs/cgroup/memory{folder}"
    return {
        f"{folder}/memory.limit_in_bytes": limit,
        f"{folder}/memory.usage_in_bytes": used,
        f"{folder}/memory.stat": f"inactive_file 7\ntotal_inactive_file {cache}\n"
        f"total_active_file {cache}",
    }


def v2(folder, limit, used, cache=0):
    folder = f"sys/fs/cgroup{folder}"
    return {
        f"{folder}/memory.max": limit,
        f"{folder}/memory.current": used,
        f"{folder}/memory.stat": f"anon 5\ninactive_file {cache}\nactive_file {cache}",
    }


def test_where_nothing_is_said_nothing_is_known(machine):
    assert available(machine()) is None


def test_a_machine_says_what_is_free(machine):
    assert available(machine(**FREE)) == 9000 * 1024


@pytest.mark.parametrize(
    ("cgroup", "mount", "files", "left"),
    [
        ("4:memory:/a/b", V1, v1("/a/b", 1000, 300, 50), 800),
        ("4:cpu,memory:/a", V1, v1("/a", 1000, 300), 700),
        ("4:memory:/a/b", V1, v1("/a/b", NO_LIMIT, 300) | v1("/a", 900, 300), 600),
        ("4:memory:/a/b", V1, v1("/a/b", 500, 300) | v1("/a", 900, 300), 200),
        ("4:memory:/a", V1, v1("/a", NO_LIMIT, 300), 9000 * 1024),
        ("4:memory:/a", V1, v1("/a", 300, 400), 0),
        ("0::/a/b", V2, v2("/a/b", 1000, 300, 50), 800),
        ("0::/a/b", V2, v2("/a/b", "max", 300) | v2("/a", 900, 300), 600),
        ("0::/", V2, v2("", 900, 300), 600),
        # What a container sees as its root has a longer path outside
        ("4:memory:/docker/x", ("/docker/x", *V1[1:]), v1("", 900, 300), 600),
        ("4:memory:/docker/x/y", ("/docker/x", *V1[1:]), v1("/y", 900, 300), 600),
        ("4:memory:/docker/x", V1, v1("", 900, 300), 600),
        ("0::/../other", V2, v2("", 900, 300), 600),
        # Both kinds side by side, where the second has no memory to look after
        ("4:memory:/a\n0::/b", V1, v1("/a", 900, 300), 600),
        ("3:cpu:/a", V1, v1("/a", 900, 300), 9000 * 1024),
    ],
)
def test_a_cgroup_bounds_what_is_free(machine, cgroup, mount, files, left):
    unified = ("/", "/sys/fs/cgroup/unified", "cgroup2 cgroup2 rw")
    assert available(machine(cgroup, [mount, unified], **FREE, **files)) == left


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says")
SAY = "from ganface.system.free_memory import available; print(available())"


def say(code=SAY, **options):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **options)
    return done.returncode, [int(line) for line in done.stdout.split()]


@linux_only
@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_a_limit_of_the_shell_bounds_what_is_free(limit):
    code = f"import resource as r; r.setrlimit(r.{limit}, (500 << 20, 500 << 20)); {SAY}"
    code += "; held = bytearray(200 << 20); print(available())"
    before, after = say(code)[1]
    assert 300 * MEGA < before < 500 * MEGA
    assert before - after == pytest.approx(200 * MEGA, rel=0.05)


@pytest.fixture
def confined():
    """confined(limit): a function with which a new process enters a real memory cgroup."""
    groups = []

    def make(limit):
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        own = next((line.split(":", 2)[2] for line in lines if ":memory:" in line), None)
        if own is None:
            pytest.skip("no memory cgroup of version 1")
        group = Path(f"/sys/fs/cgroup/memory{own}/ganface-test-{os.getpid()}")
        try:
            group.mkdir()
            groups.append(group)
            (group / "memory.limit_in_bytes").write_text(str(limit))
        except OSError as error:
            pytest.skip(f"no memory cgroup can be made: {error}")
        return lambda: (group / "cgroup.procs").write_text(str(os.getpid()))

    yield make
    for group in groups:
        remove(group)


def remove(group: Path) -> None:
    """A group is busy for a moment after its last process has ended."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return group.rmdir()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@linux_only
def test_a_real_cgroup_bounds_what_is_free(confined):
    code = f"{SAY}; held = bytearray(100 << 20); print(available())"
    code += "; open('file', 'wb').write(bytes(50 << 20)); print(available())"
    before, holding, cached = say(code, preexec_fn=confined(300 * MEGA))[1]
    assert 200 * MEGA < before < 300 * MEGA
    assert before - holding == pytest.approx(100 * MEGA, rel=0.1)
    assert holding - cached < 25 * MEGA  # what a file left in the cache can be had


@linux_only
@pytest.mark.long
def test_in_a_real_cgroup_the_named_batch_size_fits(confined, faces, figure):
    needed = estimate(train_config(), 64, "fp32", False, 64)
    enter = confined(needed + 450 * MEGA)  # PyTorch, loaded, takes more than 300 of them
    train = [sys.executable, "-m", "ganface", "train", faces, "--device", "cpu"]
    train += ["--precision", "fp32", "--compile", "off", "--steps", "4", "--checkpoint-every", "2"]

    def run(batch_size):
        command = [*train, "--batch-size", str(batch_size)]
        return subprocess.run(command, capture_output=True, text=True, preexec_fn=enter)

    refused = run(4096)
    figure(refused.stderr.strip())
    assert refused.returncode == 2
    assert "--batch-size 64 fits" in refused.stderr
    done = run(64)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------------------- the estimate


NETWORKS = [
    {},
    {"preset": "dcgan"},
    {"norm": "none", "spectral_norm": True},
]


def bytes_kept(forward, compute):
    storages = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept), compute.autocast():
        _output = forward()
        return sum(storages.values())


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("settings", NETWORKS)
def test_what_autograd_keeps_is_foretold(monkeypatch, settings, precision, compiled):
    config = TrainConfig.of({"width": 16, **settings})
    compute, dtype = ON[precision], DTYPES[precision]
    _, state = create(config, 64, compute)
    G, D = state.networks["G"], state.networks["D"]
    if compiled:
        try:
            load_libraries(dtype)
        except CannotCompile as error:
            pytest.skip(f"nothing to compile with: {error}")
        use_compiled(G)
        use_compiled(D)
    monkeypatch.setattr(memory, "GAPS", 1)

    def images(count):
        return torch.zeros(count, 3, 64, 64).contiguous(memory_format=torch.channels_last)

    def measured(count):
        of_G = bytes_kept(lambda: G(torch.zeros(count, config.architecture.z_dim)), compute)
        of_D = bytes_kept(lambda: D(images(count)), compute)
        # The images themselves, which the estimate counts elsewhere
        return of_G + of_D - (0 if compiled else images(count).numel() * dtype.itemsize)

    def foretold(count):
        with torch.device("meta"):
            networks = [build_network(role, G.config) for role in ("G", "D")]
        return sum(kept(network, count, dtype, compiled) for network in networks)

    assert foretold(6) - foretold(2) == pytest.approx(measured(6) - measured(2), rel=0.02)


MEASURE = """
import sys
from ganface.cli.main import main
from ganface.methods import gan
from ganface.training import plan

def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))

def begin(*arguments):
    print(status("RssAnon"), file=sys.stderr)

gan.REG_INTERVAL = 2  # R1 and R2 in an update that comes
plan.check_memory = begin
try:
    main()
finally:
    print(status("VmHWM") - status("RssFile"), file=sys.stderr)
"""


@linux_only
@pytest.mark.long
@pytest.mark.parametrize(
    "options",
    [
        "--batch-size 64",
        "--batch-size 64 --compile on",
        "--batch-size 64 --precision bf16 --compile on",
        "--batch-size 96 --width 16",
        "--batch-size 96 --width 16 --d-steps 3 --augment on",
        "--batch-size 96 --width 16 --norm none --loss rpgan --r1 1 --r2 1",
        "--batch-size 96 --width 16 --norm none --loss wgan-gp",
        "--batch-size 64 --preset dcgan",
        "--batch-size 16 --width 128",
        "--batch-size 96 --width 16 --method energy",
    ],
)
def test_the_estimate_is_near_what_a_training_takes(faces, home, options, figure):
    command = [sys.executable, "-c", MEASURE, "train", faces, "--size", "64", "--out", "run"]
    command += ["--precision", "fp32", "--compile", "off", "--device", "cpu"]
    command += ["--steps", "4", "--checkpoint-every", "2", *options.split()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [int(line) for line in done.stderr.splitlines() if line.isdecimal()]
    meta = json.loads((home / "run" / "config.json").read_text())
    config = TrainConfig.stored(meta["train"])
    said = estimate(config, 64, meta["precision"], meta["compiled"], config.optimizer.batch_size)
    taken = lines[-1] - lines[0]
    figure(f"{said / 1e6:.0f} MB foretold, {taken / 1e6:.0f} MB taken: {said / taken:.2f}")
    assert 0.9 < said / taken < 1.5


@pytest.fixture
def memory_of(monkeypatch):
    """memory_of(count): let so many bytes be free."""
    return lambda count: monkeypatch.setattr(plan, "available", lambda: count)


LARGE = ("--size", 32, "--width", 64, "--device", "cpu", "--compile", "off", "--steps", 1)
LARGE += ("--precision", "fp32")  # auto depends on the processor


def test_what_does_not_fit_is_refused_before_anything_is_written(
    invoke, faces, memory_of, tmp_path
):
    memory_of(600 * 10**6)
    for options in ((), ("--dry-run",)):
        line = invoke("train", faces, *LARGE, "--batch-size", 4096, *options).refused()
        assert re.search(r"about \d+(\.\d)? GB of memory, and 0.6 GB are free", line)
        named = int(re.search(r"--batch-size (\d+) fits", line)[1])
    assert tree(tmp_path) == {}

    config = train_config(width=64)
    needed = [estimate(config, 32, "fp32", False, batch) for batch in (named, 2 * named)]
    assert needed[0] <= 600 * 10**6 < needed[1]
    memory_of(needed[0])
    invoke("train", faces, *LARGE, "--batch-size", min(named, 100), "--dry-run").done()


def test_a_pack_counts_by_its_own_size(invoke, pack_file, memory_of):
    """The default is 64, and takes four times as much."""
    memory_of(estimate(train_config(width=64), 32, "fp32", False, 64))
    options = ("--width", 64, "--compile", "off", "--precision", "fp32", "--device", "cpu")
    invoke("train", pack_file, *options, "--dry-run").done()


def test_weights_that_do_not_fit_are_refused_without_being_made(invoke, pack_file, memory_of):
    memory_of(10**9)
    line = invoke("train", pack_file, "--width", 1024, "--device", "cpu").refused()
    assert "--width 1024" in line
    assert "give a smaller --width" in line


def test_a_run_that_cannot_change_its_batch_size_is_told_what_else_helps(
    invoke, pack_file, run_copy, memory_of
):
    memory_of(10**6)
    before = tree(run_copy.path)
    line = invoke("train", pack_file, "--out", run_copy.path, "--resume", "--steps", 20).refused()
    assert "end other programs" in line
    assert "fits" not in line
    assert tree(run_copy.path) == before


def test_where_nothing_is_known_nothing_is_refused(invoke, pack_file, memory_of, monkeypatch):
    memory_of(None)
    monkeypatch.setattr(forecast, "seconds_per_update", lambda *_: 1.0)  # it takes minutes
    invoke("train", pack_file, "--width", 1024, "--device", "cpu", "--dry-run").done()


def test_the_processes_of_a_machine_share_its_memory(pack_file, memory_of):
    settings = {"batch_size": 96, "device": "cpu", "precision": "fp32", "compile": "off"}
    alone, with_others = Processes(0, 3, 0, 1), Processes(0, 3, 0, 3)
    planned = plan.make_plan(Run(Path("run")), False, {}, settings, alone)
    share = estimate(planned.train, 32, "fp32", False, 32)
    memory_of(share)
    plan.check_memory(pack_file, planned, alone)
    memory_of(3 * share)
    plan.check_memory(pack_file, planned, with_others)
    memory_of(3 * share - 1)
    with pytest.raises(UserError, match="--batch-size 48 fits"):
        plan.check_memory(pack_file, planned, with_others)


@pytest.mark.parametrize(
    ("batch_size", "processes", "sizes"),
    [
        (16, 1, [8, 4, 2]),
        (17, 1, [16, 8, 4, 2]),
        (100, 1, [64, 32, 16, 8, 4, 2]),
        (2, 1, []),
        (24, 3, [12, 6, 3]),
        (4, 4, []),
    ],
)
def test_smaller_batch_sizes(batch_size, processes, sizes):
    assert list(smaller(batch_size, processes)) == sizes


# ---------------------------------------------------------------------------- the trial


# What PyTorch says, of a GPU and of a CPU
ON_GPU = torch.OutOfMemoryError(
    "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.11 GiB of "
    "which 11.00 GiB is free. See documentation for Memory Management"
)
TINY_CONFIG = train_config(batch_size=8, width=4, z_dim=8, norm="none", r1=1.0)


@pytest.fixture
def bounded(monkeypatch):
    """bounded(most): no update of more images fits; which were tried is in the list that it gives.

    The error comes in the middle, when D is changed and G is not.
    """

    update = Gan.update

    def make(most):
        tried = []

        def checked(method, state, batches, apply_reg):
            tried.append((len(batches[0].reals), apply_reg))
            too_many = len(batches[0].reals) > most
            with monkeypatch.context() as patch:
                if too_many:
                    patch.setattr(state.optimizers["G"], "zero_grad", run_out)
                return update(method, state, batches, apply_reg)

        monkeypatch.setattr(Gan, "update", checked)
        return tried

    def run_out():
        raise ON_GPU

    return make


def copies(training):
    scaler = {name: torch.tensor(x) for name, x in training.scaler.state_dict().items()}
    return {name: x.clone() for name, x in tensors_of(training).items()} | scaler


def differing(one, other):
    return [name for name in one if not torch.equal(one[name], other[name])]


@pytest.mark.parametrize("most", [8, 7, 1])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("steps", [0, 2])
def test_a_trial_leaves_no_trace_and_finds_what_fits(pack_file, bounded, most, precision, steps):
    compute = ON[precision]
    method, training = create(TINY_CONFIG, 32, compute)
    _, plain = create(TINY_CONFIG, 32, compute)
    feed = Batches(Pack(pack_file), TINY_CONFIG, method, False, False)

    def choose(of=training):
        return loop.choose_update(of, method, TINY_CONFIG, Processes())

    for step in range(1, steps + 1):
        for each in (training, plain):
            choose(each)(feed.at(step), False)
    training.step = steps
    before, tried = copies(training), bounded(most)

    def trial():
        return fit_to_memory(training, method, TINY_CONFIG, feed.at(steps + 1), choose)

    if most == 8:
        advance = trial()
        assert tried == [(8, False), (8, True)]
    else:
        with pytest.raises(WorkError) as refusal:
            trial()
        advice = "end other programs" if steps else {7: "4 fits", 1: "--width"}[most]
        assert advice in str(refusal.value)
    assert differing(before, copies(training)) == []

    if most == 8:
        for step in (steps + 1, steps + 2):
            advance(feed.at(step), step % 2 == 0)
            choose(plain)(feed.at(step), step % 2 == 0)
        assert differing(copies(plain), copies(training)) == []


def try_with_a_fault(pack_file, message):
    """Try a training whose every update ends in a RuntimeError that says `message`."""
    method, training = create(TINY_CONFIG, 32, ON["fp32"])
    inputs = Batches(Pack(pack_file), TINY_CONFIG, method, False, False).at(1)

    def fail(*_):
        raise RuntimeError(message)

    fit_to_memory(training, method, TINY_CONFIG, inputs, lambda: fail)


def test_another_fault_in_a_trial_is_not_taken_for_it(pack_file):
    with pytest.raises(RuntimeError, match="shapes"):
        try_with_a_fault(pack_file, "shapes do not match")


def test_a_convolution_without_memory_for_any_algorithm_is_taken_for_it(pack_file):
    with pytest.raises(WorkError, match="too large for the GPU's memory; so is 2"):
        try_with_a_fault(pack_file, "FIND was unable to find an engine to execute this computation")


@pytest.fixture
def _refusing(monkeypatch):
    """A CPU that is tried like a GPU."""
    monkeypatch.setattr(Compute, "raises_oom", True)


@pytest.mark.usefixtures("_refusing")
def test_a_training_tries_first_and_goes_on_as_if_it_had_not(
    invoke, pack_file, tiny_run, home, bounded
):
    options = ("--steps", 12, "--milestones", "4,8", "--checkpoint-every", 5, "--seeds", "0-8")
    tried = bounded(8)
    invoke("train", pack_file, "--out", "run", *TINY, *options).done()
    assert len(tried) == 2 + 12  # without R1, and with it
    ours, theirs = home / "run" / "generator.safetensors", tiny_run.generator
    assert ours.read_bytes() == theirs.read_bytes()

    bounded(4)
    line = invoke("train", pack_file, "--out", "other", *TINY, *options).failed()
    assert "--batch-size 4 fits" in line
    assert Run(home / "other").checkpoints() == {}


# ---------------------------------------------------------------------------- later


def ask_for_too_much():
    torch.empty(2**60, dtype=torch.uint8)


FAULTS = [ON_GPU, MemoryError(), None]


def fail(fault):
    if fault:
        raise fault
    ask_for_too_much()


@pytest.mark.parametrize("fault", [ON_GPU, None])
def test_what_runs_out_later_ends_in_one_line(
    invoke, pack_file, tiny_run, home, monkeypatch, fault
):
    updates, update = [], Gan.update

    def fails_at_8(*arguments):
        updates.append(arguments)
        if len(updates) == 8:
            fail(fault)
        return update(*arguments)

    train = ("train", pack_file, "--out", "run", *TINY, "--steps", 12, "--milestones", "4,8")
    train += ("--checkpoint-every", 5, "--seeds", "0-8")
    with monkeypatch.context() as patch:
        patch.setattr(Gan, "update", fails_at_8)
        line = invoke(*train).failed()
    assert "out of memory" in line
    assert line.endswith("--out run --resume")
    if fault is ON_GPU:
        assert "20.00 GiB" in line
    invoke(*train, "--resume").done()
    ours, theirs = home / "run" / "generator.safetensors", tiny_run.generator
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("fault", FAULTS)
def test_without_a_checkpoint_none_is_promised(invoke, pack_file, tiny_run, monkeypatch, fault):
    monkeypatch.setattr(Gan, "update", lambda *_: fail(fault))
    monkeypatch.setattr(generate, "generate_on_device", lambda *_: fail(fault))
    commands = [
        ("train", pack_file, "--out", "run", *TINY),
        ("sample", tiny_run.path, "--device", "cpu"),
        ("interpolate", tiny_run.path, "--device", "cpu"),
    ]
    for command in commands:
        line = invoke(*command).failed()
        assert line.startswith("ganface: out of memory")
        assert "checkpoint" not in line


def test_other_faults_keep_their_traceback(pack_file, monkeypatch):
    monkeypatch.setattr(Gan, "update", lambda *_: fail(RuntimeError("shapes do not match")))
    with pytest.raises(RuntimeError, match="shapes"):
        call("train", pack_file, "--out", "run", *TINY)


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (MemoryError(), True),
        (ON_GPU, True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1.00 GB)"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_what_counts_as_out_of_memory(error, is_it):
    assert is_out_of_memory(error) == is_it


def test_a_capture_that_ended_for_want_of_memory_counts():
    error = RuntimeError("operation failed due to a previous error during capture")
    error.__context__ = ON_GPU
    assert is_out_of_memory(error)
