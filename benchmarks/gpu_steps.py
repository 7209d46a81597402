"""The steps of scripts/gpu_check, each a process of its own: see gpu_check.py.

A step returns what its section of the report shows. It fails by raising.
"""

from __future__ import annotations

import argparse
import cProfile
import dataclasses
import importlib
import json
import os
import platform
import pstats
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from gpu_place import Place, Result, ganface, python, timed  # noqa: E402
from gpu_trainee import Trainee, kernels, trainee, wait  # noqa: E402
from workbench import own_environment  # noqa: E402

PACKAGES = ("torch", "torchvision", "typer", "PIL", "rich", "safetensors")


def start(place: Place) -> Result:
    """what is there; --help; packs of drawn faces"""
    missing = []
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing.append(f"{name} ({error})")
    if missing:
        raise RuntimeError(f"missing: {', '.join(missing)}")
    import torch
    import torchvision

    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "system": platform.platform(),
        "cores": os.cpu_count(),
    }
    if place.on_gpu:
        if not torch.cuda.is_available():
            raise RuntimeError("PyTorch sees no NVIDIA GPU; --cpu tries the steps without one")
        smi = shutil.which("nvidia-smi")
        query = [smi or "", "--query-gpu=driver_version", "--format=csv,noheader"]
        versions |= {
            "gpu": torch.cuda.get_device_name(),
            "capability": torch.cuda.get_device_capability(),
            "memory_GiB": round(torch.cuda.get_device_properties(0).total_memory / 2**30),
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "kernels": torch.cuda.get_arch_list(),
            "driver": subprocess.check_output(query, text=True).strip() if smi else None,
        }
    amounts = place.amounts
    rows = [("--help", timed(lambda: ganface("--help")))]
    demo = ("dataset", "demo", place.faces, "--count", amounts.faces, "--size", amounts.side)
    rows.append((f"{amounts.faces} faces drawn", timed(lambda: ganface(*demo))))
    for size in amounts.sizes:
        build = ("dataset", "build", place.faces, place.pack(size), "--size", size)
        rows.append((f"pack of {size} × {size}", timed(lambda build=build: ganface(*build))))
    labels = ("--labels", place.faces / "factors.csv")
    ganface("dataset", "build", place.faces, place.labelled, "--size", amounts.sizes[0], *labels)
    where = versions.get("gpu", "a CPU")
    return Result(
        f"{where}, torch {versions['torch']}, Python {versions['python']}",
        ("", "s"),
        tuple((what, f"{seconds:.2f}") for what, seconds in rows),
        versions,
    )


LABELLED = "labels"  # that G and D are told
VARIANTS: dict[str, dict[str, Any]] = {
    "best": {},
    "dcgan": {"preset": "dcgan"},
    "three D steps": {"d_steps": 3},
    "hinge, D with BatchNorm": {"loss": "hinge"},
    "spectral norm": {"spectral_norm": True},
    "augment on": {"augment": "on"},
    LABELLED: {},
}


def captured(place: Place) -> Result:
    """an update replayed from the graph against one kernel after the other, bit by bit"""
    import torch

    from ganface.training.checkpoint import tensors_of
    from ganface.training.memory import fit_to_memory

    kernels(place, deterministic=True)
    first, last = (1, 20) if place.on_gpu else (15, 17)  # the 16th is one with penalties
    rows, failed = [], []
    for precision in place.precisions:
        for name, settings in VARIANTS.items():
            if precision != place.precisions[0] and name not in ("best", "dcgan"):
                continue
            labelled = name == LABELLED
            eager = trainee(place, settings, precision, graphed=False, labelled=labelled)
            graphed = trainee(place, settings, precision, labelled=labelled)
            before = {n: t.clone() for n, t in tensors_of(graphed.state).items()}
            graphed.advance = fit_to_memory(
                graphed.state,
                graphed.method,
                graphed.config,
                graphed.batches.at(1),
                lambda graphed=graphed: graphed.advance,
            )
            after = tensors_of(graphed.state)
            trial = all(torch.equal(before[n], after[n]) for n in before)
            eager.run(first, last)
            graphed.run(first, last)
            a, b = tensors_of(eager.state), tensors_of(graphed.state)
            unlike = [n for n in a if not torch.equal(a[n], b[n])]
            if unlike or not trial:
                failed.append(f"{name} in {precision}")
            difference = max((a[n].double() - b[n].double()).abs().max().item() for n in a)
            finite = all(bool(t.isfinite().all()) for t in a.values())
            rows.append(
                (
                    *(name, precision, f"{len(a) - len(unlike)} of {len(a)}", f"{difference:.1e}"),
                    *("yes" if trial else "no", "yes" if finite else "no"),
                )
            )
    head = ("recipe", "precision", "tensors equal", "largest difference", "trial undone", "finite")
    result = Result(f"{len(rows)} recipes, updates {first} to {last}", head, tuple(rows))
    if failed:
        raise Failed(f"not equal: {', '.join(failed)}", result)
    return result


def profile(place: Place) -> Result:
    """where the time of an update goes"""
    from floors import measure_rates, update_bytes, update_flops

    kernels(place, deterministic=False)
    precision, amounts = place.precisions[0], place.amounts
    replays = 20 if place.on_gpu else 2
    rates = measure_rates(place.device, precision, 8192 if place.on_gpu else 256)
    size = amounts.sizes[0]
    flops = update_flops(size, 100, amounts.width, amounts.batch)
    moved = update_bytes(size, 100, amounts.width, amounts.batch, precision)
    figures: dict[str, Any] = {
        "arithmetic_floor_ms": 1000 * flops / rates["flops"],
        "memory_floor_ms": 1000 * moved / rates["bytes"],
        "rates": rates,
    }
    rows: list[tuple[object, ...]] = []
    for name in ("best", "dcgan"):
        subject = trainee(place, VARIANTS[name], precision)
        subject.run(1, 17)  # both graphs are there
        wait(place)
        subject.batches.at(18)
        host = timed(lambda subject=subject: [subject.batches.at(s) for s in range(18, 18 + 50)])
        figures[f"{name}_inputs_us"] = host / 50 * 1e6
        found = _kernels(place, subject, replays)
        if found:
            busy = sum(t for _, t in found.values())
            count = sum(n for n, _ in found.values())
            figures[f"{name}_kernels"] = count / replays
            figures[f"{name}_busy_us"] = busy / replays
            longest = sorted(found.items(), key=lambda item: -item[1][1])
            for kernel, (n, t) in longest[: 40 if name == "best" else 15]:
                rows.append(
                    (name, _short(kernel), f"{n / replays:.1f}", f"{t / replays:.1f}",
                     f"{100 * t / busy:.1f} %")
                )  # fmt: skip
        profiler = cProfile.Profile()
        profiler.runcall(lambda subject=subject: [subject.batches.at(s) for s in range(90, 140)])
        stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
        top = sorted(stats.items(), key=lambda item: -item[1][2])[:8]
        figures[f"{name}_inputs_host"] = [
            f"{where[2]}: {calls / 50:.1f} calls, {own / 50 * 1e6:.1f} us"
            for where, (_, calls, own, _, _) in top
        ]
    says = (
        f"floors: arithmetic {figures['arithmetic_floor_ms']:.3f} ms, "
        f"memory {figures['memory_floor_ms']:.3f} ms; inputs "
        f"{figures['best_inputs_us']:.0f} µs of the host"
    )
    if "best_kernels" in figures:
        says += (
            f"; best: {figures['best_kernels']:.0f} kernels, {figures['best_busy_us']:.0f} µs busy"
            f"; dcgan: {figures['dcgan_kernels']:.0f}, {figures['dcgan_busy_us']:.0f} µs"
        )
    head = ("recipe", "kernel", "an update", "µs an update", "share")
    return Result(says, head, tuple(rows), figures)


def _kernels(place: Place, subject: Trainee, replays: int) -> dict[str, tuple[int, float]]:
    """Name of each kernel -> how often it ran in so many updates without penalties, and for how
    many µs. Nothing on a CPU."""
    if not place.on_gpu:
        return {}
    import torch
    from torch.profiler import ProfilerActivity

    inputs = subject.batches.at(18)
    wait(place)
    with torch.profiler.profile(activities=[ProfilerActivity.CUDA]) as found:
        for _ in range(replays):
            subject.advance(inputs, False)
        torch.cuda.synchronize()
    counts: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for event in found.events():
        if event.device_type == torch.autograd.DeviceType.CUDA:
            counts[event.name] += 1
            times[event.name] += event.time_range.elapsed_us()
    return {name: (counts[name], float(times[name])) for name in counts}


def _short(kernel: str) -> str:
    kernel = re.sub(r"^void |at::native::|\(anonymous namespace\)::", "", kernel)
    return kernel.replace("|", "/")[:110]


LOSSES: dict[str, dict[str, Any]] = {
    **{loss: {"loss": loss} for loss in ("ns", "saturating", "lsgan", "hinge", "rpgan")},
    "wgan-gp": {"loss": "wgan-gp", "d_steps": 3},
    "augment off": {"augment": "off"},
    "augment on": {"augment": "on"},
    "spectral norm": {"spectral_norm": True},
    "z of 2": {"z_dim": 2},
    "an auto-encoder": {"method": "autoencoder"},
    "a VAE": {"method": "vae"},
    "learned codes": {"method": "codes"},
    "α-GAN": {"method": "alphagan"},
    "a D alone": {"method": "energy"},
}


def losses(place: Place) -> Result:
    """every loss and kind of training: finite, no warning"""
    kernels(place, deterministic=False)
    steps = 50 if place.on_gpu else 2
    rows = []
    for name, settings in LOSSES.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            subject = trainee(place, settings, place.precisions[0])
            subject.run(1, steps)
            means = subject.means()
        if not all(abs(value) < 1e6 for value in means.values()):
            raise RuntimeError(f"{name}: {means}")
        shown = ", ".join(f"{key} {value:.3g}" for key, value in list(means.items())[:4])
        rows.append((name, shown))
    return Result(f"{len(rows)} kinds, {steps} updates each", ("kind", "means"), tuple(rows))


def fp16(place: Place) -> Result:
    """fp16: several D steps, and a scale that recovers"""
    from ganface.training.checkpoint import tensors_of

    kernels(place, deterministic=False)
    steps = 200 if place.on_gpu else 3
    rows = []
    for name, settings, scale in (
        ("best", {}, None),
        ("three D steps", {"d_steps": 3}, None),
        ("from a scale of 2^40", {}, 2.0**40),
    ):
        subject = trainee(place, settings, "fp16")
        if scale:
            scaler = subject.state.scaler
            scaler.load_state_dict({**scaler.state_dict(), "scale": scale})
        subject.run(1, steps)
        end = subject.state.scaler.get_scale()
        broken = [n for n, t in tensors_of(subject.state).items() if not t.isfinite().all()]
        if broken or (place.on_gpu and not 1 <= end <= 2**24):
            raise RuntimeError(f"{name}: scale {end}, not finite: {broken}")
        means = subject.means()
        shown = ", ".join(f"{key} {means[key]:.3g}" for key in list(means)[:4])
        rows.append((name, f"{end:g}", shown))
    return Result(f"{steps} updates each", ("kind", "scale at the end", "means"), tuple(rows))


def resume(place: Place) -> Result:
    """--deterministic: killed half way and resumed, against undisturbed"""
    import torch

    from ganface.io.tensors import read_tensors

    steps, half = (600, 300) if place.on_gpu else (8, 4)
    options = ("--deterministic", "--steps", steps, "--checkpoint-every", half)
    options += ("--evaluate-every", 0)
    whole, cut = place.new("whole"), place.new("cut")
    place.train(*options, "--out", whole)
    command = ["-m", "ganface", "train", place.pack(), *place.shape, *options, "--out", cut]
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        env=own_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not list(cut.glob("checkpoints/*.safetensors")):
        time.sleep(0.002)
    process.kill()
    process.wait()
    saved = max(int(path.stem.split("-")[-1]) for path in cut.glob("checkpoints/*.safetensors"))
    place.train(*options, "--resume", "--out", cut)
    ends = []
    for run in (whole, cut):
        newest = max(run.glob("checkpoints/*.safetensors"))
        ends.append(read_tensors(newest, "checkpoint")[1])
    a, b = ends
    unlike = [name for name in a if not torch.equal(a[name], b[name])]
    if saved == steps:
        raise RuntimeError("the run ended before it was killed")
    result = Result(f"killed after the checkpoint of step {saved}: all {len(a)} tensors equal")
    if unlike:
        raise Failed(f"{len(unlike)} of {len(a)} tensors not equal: {unlike[:5]}", result)
    return result


def speed(place: Place) -> Result:
    """ms an update"""
    import torch

    kernels(place, deterministic=False)
    amounts = place.amounts
    usual, *others = amounts.sizes
    cases = [(preset, p, usual) for preset in ("best", "dcgan") for p in place.precisions]
    cases += [("best", place.precisions[0], size) for size in others]
    rows: list[tuple[object, ...]] = []
    figures = {}
    for preset, precision, size in cases:
        if place.on_gpu:
            torch.cuda.reset_peak_memory_stats()
        whole, replay = ms_an_update(place, trainee(place, VARIANTS[preset], precision, size))
        memory = torch.cuda.max_memory_allocated() / 2**20 if place.on_gpu else 0
        figures[f"{preset} {precision} {size}"] = {"ms": whole, "replay_ms": replay, "MiB": memory}
        rate = amounts.batch / whole * 1000
        times = f"{whole:.3f}", f"{replay:.3f}"
        rows.append((preset, precision, size, *times, f"{rate:,.0f}", f"{memory:,.0f}"))
    head = ("preset", "precision", "size", "ms an update", "of it the replay alone", "images/s")
    head = (*head, "MiB at its peak")
    says = f"width {amounts.width}, batches of {amounts.batch}; {rows[0][3]} ms for the default"
    return Result(says, head, tuple(rows), figures)


def ms_an_update(place: Place, subject: Trainee) -> tuple[float, float]:
    """Milliseconds of an update (the median of four parts), and of one that is given the same
    inputs again and again."""
    warm, part = (32, place.amounts.updates // 4) if place.on_gpu else (1, 1)
    subject.run(1, warm)
    wait(place)

    def updates(number: int) -> None:
        first = warm + 1 + number * part
        subject.run(first, first + part - 1)
        wait(place)

    whole = statistics.median(timed(partial(updates, number)) for number in range(4))
    inputs = subject.batches.at(warm + 1)

    def replays() -> None:
        for _ in range(part):
            subject.advance(inputs, False)
        wait(place)

    wait(place)
    return 1000 * whole / part, 1000 * timed(replays) / part


def plain(place: Place) -> Result:
    """against the plain example"""
    amounts = place.amounts
    folder = place.new("images")
    folder.mkdir()
    (folder / "all").symlink_to(place.faces, target_is_directory=True)
    steps, skip = (1000, 500) if place.on_gpu else (20, 10)
    run = place.new("plain")
    place.train("--preset", "dcgan", "--steps", steps, "--evaluate-every", 0, "--out", run)
    lines = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    begun = next(line for line in lines if line["step"] == skip)
    ours = (lines[-1]["images_seen"] - begun["images_seen"]) / (
        lines[-1]["seconds"] - begun["seconds"]
    )
    rows: list[tuple[object, ...]] = [("ganface, --preset dcgan", f"{ours:,.0f}", "")]
    figures = {"ganface": ours}
    kinds = {
        "2 loader workers": ("--workers", 2),
        "14 loader workers": ("--workers", 14),
        "images in memory": ("--in-memory",),
    }
    for name, options in kinds.items() if place.on_gpu else list(kinds.items())[2:]:
        times = place.work / "times.json"
        steps, skip = (250, 50) if place.on_gpu else (6, 2)
        python(
            *(HERE / "reference_dcgan.py", folder, "--size", amounts.sizes[0]),
            *("--width", amounts.width, "--batch-size", amounts.batch, "--device", place.device),
            *("--steps", steps, "--json", times, *options),
        )
        found = json.loads(times.read_text())
        images = found["images"][-1] - found["images"][skip - 1]
        rate = images / (found["seconds"][-1] - found["seconds"][skip - 1])
        figures[name] = rate
        rows.append((f"the example, {name}", f"{rate:,.0f}", f"{ours / rate:.1f} ×"))
    ratios = ", ".join(str(row[2]) for row in rows[1:])
    return Result(f"ratios {ratios}", ("", "images/s", "ratio"), tuple(rows), figures)


LIMITED = """
import sys, torch
torch.cuda.set_per_process_memory_fraction(float(sys.argv.pop(1)))
from ganface.cli.main import main
main()
"""


def memory(place: Place) -> Result:
    """too large a batch: the line names one that fits, and that one runs"""
    if not place.on_gpu:
        return Result("not tried: a CPU's memory is estimated, not tried out")
    import torch

    total = torch.cuda.get_device_properties(0).total_memory
    fraction = min(1.0, 3 * 2**30 / total)
    run = place.new("memory")
    common = ("-c", LIMITED, fraction, "train", place.pack(), "--width", place.amounts.width)
    common += ("--device", "cuda", "--steps", 20, "--out", run)
    try:
        python(*common, "--batch-size", 4096)
    except RuntimeError as error:
        message = str(error).strip().splitlines()[-1]
    else:
        raise RuntimeError("4,096 images a batch were found to fit 3 GiB")
    found = re.search(r"--batch-size (\d+) fits", message)
    if not found:
        raise RuntimeError(f"names no batch size: {message}")
    shutil.rmtree(run)
    python(*common, "--batch-size", found[1])
    return Result(f"3 GiB: {message.removeprefix('ganface: ')}; it ran")


def nccl(place: Place) -> Result:
    """the code of several processes, with one; NCCL in the graph"""
    import torch
    import torch.distributed as dist

    from ganface.training.checkpoint import tensors_of
    from ganface.training.distributed import Processes
    from ganface.training.loop import choose_update

    class OneOfMany(Processes):
        alone = False

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ |= {
        "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    kernels(place, deterministic=True)
    processes, precision = OneOfMany(), place.precisions[0]
    plain, many = (trainee(place, {}, precision, graphed=g) for g in (True, True))
    steps = place.amounts.updates
    with processes.joined(torch.device("cuda", 0) if place.on_gpu else torch.device("cpu")):
        many.advance = choose_update(many.state, many.method, many.config, processes)
        for subject in (plain, many):
            subject.run(1, 20)
        a, b = tensors_of(plain.state), tensors_of(many.state)
        unlike = [n for n in a if not torch.equal(a[n], b[n])]
        times = []
        for subject in (plain, many):
            wait(place)
            times.append(timed(lambda s=subject: (s.run(21, 20 + steps), wait(place))) / steps)
        agreeing = timed(lambda: [processes.all_reduce_max(0) for _ in range(100)]) / 100
        backend = dist.get_backend()
    one, other = (1000 * t for t in times)
    result = Result(
        f"{backend}: {other:.3f} ms an update, {one:.3f} ms for a process alone; to agree on a "
        f"number {agreeing * 1e6:.0f} µs; {len(a) - len(unlike)} of {len(a)} tensors equal "
        "after 20 updates",
        figures={"alone_ms": one, "many_ms": other, "agree_us": agreeing * 1e6},
    )
    if unlike:
        raise Failed(f"not those of a process alone: {unlike[:5]}", result)
    return result


def use(place: Place) -> Result:
    """images read from the pack; scores; sample, interpolate, evaluate; another method"""
    import torch

    kernels(place, deterministic=False)
    rows = []
    held, read = (trainee(place, {}, place.precisions[0], resident=r) for r in (True, False))
    for step in range(1, 40):
        a, b = held.batches.at(step), read.batches.at(step)
        if not torch.equal(a.images, b.images.to(a.images.device)):
            raise RuntimeError(f"step {step}: images read are not those held")
    for name, subject in (("held on the device", held), ("read from the pack", read)):
        subject.run(1, 20)
        wait(place)
        n = place.amounts.updates
        seconds = timed(lambda s=subject, n=n: (s.run(21, 20 + n), wait(place))) / n
        rows.append((f"ms an update, images {name}", f"{1000 * seconds:.3f}"))
    del held, read

    steps = 300 if place.on_gpu else 4
    run, other = place.new("used"), place.new("autoencoder")
    every = ("--evaluate-every", steps // 2)
    device = ("--device", place.device)
    commands: dict[str, tuple[object, ...]] = {
        f"train, {steps} steps, scored": (
            *("train", place.pack(), *place.shape, "--steps", steps, *every, "--out", run),
        ),
        "sample": ("sample", run, *device, "--out", place.work / "sample.png"),
        "interpolate": ("interpolate", run, *device, "--out", place.work / "walk.gif"),
        "evaluate": ("evaluate", run, place.pack(), *device, "--out", place.new("evaluation")),
        f"train --method autoencoder, {steps} steps": (
            *("train", place.pack(), *place.shape, "--steps", steps, "--out", other),
            *("--method", "autoencoder"),
        ),
    }
    return Result("all done", ("", ""), (*rows, *timed_commands(commands)))


def timed_commands(commands: dict[str, tuple[object, ...]]) -> list[tuple[str, str]]:
    """Run commands of ganface; a row for each, with its seconds."""
    return [
        (f"s, {name}", f"{timed(lambda c=command: ganface(*c)):.2f}")
        for name, command in commands.items()
    ]


def latents(place: Place) -> Result:
    """labels, directions, real faces in latent space, an encoder, the energy of a discriminator"""
    steps = 300 if place.on_gpu else 4
    run, encoder, energy = place.new("labelled-run"), place.new("encoder"), place.new("energy")
    device, out = ("--device", place.device), lambda name: ("--out", place.work / name)
    train = ("--steps", steps, *place.shape)
    plain = place.new("plain-run")
    images = sorted(place.faces.glob("*.png"))[:8]
    found = place.work / "directions.safetensors"
    # Off few images no label can be read
    labels = ("--faces", place.faces) if place.on_gpu else ()
    commands: dict[str, tuple[object, ...]] = {
        f"train with labels, {steps} steps": ("train", place.labelled, *train, "--out", run),
        "sample to order": ("sample", run, "--label", "hair_tie=*", *device, *out("orders.png")),
        "evaluate with labels": (
            *("evaluate", run, place.labelled, *device, "--out", place.new("labelled-evaluation")),
        ),
        f"train, {steps} steps": ("train", place.pack(), *train, "--out", plain),
        "directions": ("directions", plain, *labels, "--count", 4, *device, "--out", found),
        "interpolate along directions": (
            *("interpolate", plain, "--directions", found, *device, *out("directions.png")),
        ),
        f"train --method encoder, {steps} steps": (
            *("train", place.pack(), *train, "--method", "encoder", "--of", plain),
            *("--out", encoder),
        ),
        "project 8 faces": ("project", plain, *images, *device, *out("near.safetensors")),
        "project them by the encoder": (
            *("project", encoder, *images, *device, *out("guessed.safetensors")),
        ),
        f"train --method energy, {steps} steps": (
            *("train", place.pack(), *train, "--method", "energy", "--out", energy),
        ),
        "sample it": ("sample", energy, *device, *out("energy.png")),
    }
    return Result("all done", ("", ""), tuple(timed_commands(commands)))


def course(place: Place) -> Result:
    """the whole course, by the command line"""
    steps, run = place.amounts.course, place.new("course")
    command = ["-m", "ganface", "train", place.pack(), *place.shape, "--steps", steps]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *map(str, [*command, "--out", run])],
        env=own_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    cut = False
    try:
        _, err = process.communicate(timeout=max(5.0, place.limit - 15))
    except subprocess.TimeoutExpired:
        cut = True
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    seconds = time.perf_counter() - began
    lines = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    if process.returncode not in ((130,) if cut else (0,)):
        raise RuntimeError(f"ended with {process.returncode}:\n{err[-2000:]}")
    last = lines[-1]
    figures = {"seconds": seconds, "steps": last["step"], "training_seconds": last["seconds"]}
    rows = [
        (line["step"], f"{line['seconds']:.1f}", f"{line['images_per_second']:,.0f}",
         *(f"{line[name]:.3f}" for name in ("loss_D", "loss_G", "D_x", "D_Gz")),
         f"{line['score']:.1f}" if "score" in line else "", line["verdict"])
        for line in lines
        if line["step"] in (100, 1000, 2000, 5000, 10_000, 20_000, steps, last["step"])
    ]  # fmt: skip
    head = ("step", "s", "images/s", "loss_D", "loss_G", "D(x)", "D(G(z))", "score", "verdict")
    if cut:
        whole = seconds - last["seconds"] + last["seconds"] * steps / last["step"]
        figures["extrapolated_seconds"] = whole
        says = f"cut at step {last['step']:,}; {whole:.0f} s extrapolated"
        return Result(says, head, tuple(rows), figures)
    wanted = ["timeline.png", "timeline.gif", "generator.safetensors", "config.json", "latest.png"]
    missing = [name for name in wanted if not (run / name).exists()]
    if missing:
        raise RuntimeError(f"not written: {missing}")
    says = f"{steps:,} updates in {seconds:.1f} s, all files written"
    return Result(says, head, tuple(rows), figures)


@dataclass(frozen=True)
class Step:
    work: Callable[[Place], Result]
    limit: int  # seconds, on a GPU
    alone: bool = True  # whether it measures times, which others beside it would spoil

    @property
    def title(self) -> str:
        return self.work.__doc__ or ""


STEPS: dict[str, Step] = {
    "start": Step(start, 60),
    "profile": Step(profile, 30),
    "speed": Step(speed, 60),
    "plain": Step(plain, 80),
    "captured": Step(captured, 90, alone=False),
    "losses": Step(losses, 90, alone=False),
    "fp16": Step(fp16, 60, alone=False),
    "resume": Step(resume, 90, alone=False),
    "memory": Step(memory, 90, alone=False),
    "nccl": Step(nccl, 60, alone=False),
    "use": Step(use, 120, alone=False),
    "latents": Step(latents, 180, alone=False),
    "course": Step(course, 180),
}


class Failed(Exception):
    """A step that failed and has something to show."""

    def __init__(self, message: str, result: Result) -> None:
        super().__init__(message)
        self.result = result


def main() -> None:
    parser = argparse.ArgumentParser(description="One step of scripts/gpu_check.")
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--limit", type=float, required=True)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()
    place = Place(args.work, not args.cpu, args.limit)
    problem = None
    try:
        result = STEPS[args.step].work(place)
    except Failed as failure:
        result, problem = failure.result, str(failure)
    args.json.write_text(json.dumps(dataclasses.asdict(result), default=str))
    if problem:
        sys.exit(problem)


if __name__ == "__main__":
    main()
