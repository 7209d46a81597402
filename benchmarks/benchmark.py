"""Measure ganface against plain PyTorch, in pairs, and print a table.

Everything is a whole command, a process of its own, and they take turns: ganface, reference,
ganface, reference … A ratio is ganface's figure over the reference's beside it; the table shows
medians, and below each the least and the greatest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from floors import update_bytes, update_flops
from paired import Row, Target, as_table, in_turns
from rich.console import Console
from workbench import (
    BATCH,
    FULL,
    HERE,
    QUICK,
    ROOT,
    SIZE,
    WIDTH,
    Z_DIM,
    Bench,
    Finished,
    ganface,
    note,
    run,
)

# ---------------------------------------------------------------------------- the rows

CPU_TRAINING = {"auto": Target(3, 4.5), "fp32": Target(1.3, 1.8)}
GPU_TRAINING = Target(15, 40)


@dataclass(frozen=True)
class Training:
    images_per_second: float  # once warm
    peak: float
    precision: str = "fp32"


def training(bench: Bench, precision: str = "auto") -> list[Row]:
    """images/s once warm; peak memory; time of an update over the least that it could take"""
    amounts, pack = bench.amounts, bench.pack

    def ours() -> Training:
        path, finished = bench.train(pack, "--steps", amounts.steps, "--precision", precision)
        lines = [json.loads(line) for line in (path / "stats.jsonl").read_text().splitlines()]
        shutil.rmtree(path)
        first, last = next(line for line in lines if line["step"] >= amounts.skip), lines[-1]
        images = last["images_seen"] - first["images_seen"]
        rate = images / (last["seconds"] - first["seconds"])
        note(f"  ganface {rate:.1f} images/s")
        return Training(rate, finished.peak, last["precision"])

    def theirs() -> Training:
        path = bench.new("times").with_suffix(".json")
        finished = bench.reference("--steps", amounts.reference_steps, "--json", path)
        times = json.loads(path.read_text())
        images = times["images"][-1] - times["images"][amounts.reference_skip - 1]
        rate = images / (times["seconds"][-1] - times["seconds"][amounts.reference_skip - 1])
        note(f"  reference {rate:.1f} images/s")
        return Training(rate, finished.peak)

    a, b = in_turns(amounts.training_pairs, ours, theirs)
    used = a[0].precision
    name = f"training in {used}"
    shape = f"width {WIDTH}, batches of {BATCH}, {SIZE} × {SIZE}, {bench.device}"
    target = CPU_TRAINING[precision]
    if bench.on_gpu:
        target = GPU_TRAINING if precision == "auto" else None
    rows = [
        Row(
            name,
            "images/s",
            [each.images_per_second for each in a],
            [each.images_per_second for each in b],
            target,
            f"{shape}, {amounts.steps - amounts.skip} steps once warm",
        ),
        Row(
            name,
            "MiB at its peak",
            [each.peak for each in a],
            [each.peak for each in b],
            note="resident, of the largest of its processes",
        ),
    ]
    if not bench.on_gpu and precision == "auto":
        rows.append(Row("training on a GPU", "images/s", target=GPU_TRAINING, note="no GPU in use"))

    rates = json.loads(run(HERE / "floors.py", bench.device, used).out)
    flops = update_flops(SIZE, Z_DIM, WIDTH, BATCH)
    moved = update_bytes(SIZE, Z_DIM, WIDTH, BATCH, used)
    update = [1000 * BATCH / each.images_per_second for each in a]
    for what, amount, unit, rate in (
        ("arithmetic", flops / 1e9, "GFLOP", rates["flops"] / 1e9),
        ("memory", moved / 1e9, "GB", rates["bytes"] / 1e9),
    ):
        rows.append(
            Row(
                f"an update in {used} over its {what} floor",
                "ms",
                update,
                [1000 * amount / rate] * len(update),
                note=f"{amount:,.2f} {unit} at {rate:,.0f} {unit}/s as measured",
            )
        )
    return rows


def fp32(bench: Bench) -> list[Row]:
    """the same as training, with --precision fp32"""
    return training(bench, "fp32")


def start(bench: Bench) -> list[Row]:
    """seconds to the first 1,000 updates from a cold start, ingestion included (one pair)"""
    images = bench.images

    def ours() -> float:
        cache = bench.new("cache")
        path, finished = bench.train(images, "--steps", 1000, "--cache", cache)
        shutil.rmtree(path)
        shutil.rmtree(cache)
        return finished.seconds

    a, b = in_turns(1, ours, lambda: bench.reference("--steps", 1000).seconds)
    text = "whole command, ingestion and last pictures included"
    return [Row("first 1,000 updates", "s", a, b, Target(0.6, 0.35, at_most=True), text)]


def course(bench: Bench) -> list[Row]:
    """seconds for 50,000 updates with all milestones and checkpoints, on a GPU"""
    row = Row("50,000 updates on a GPU", "s", target=Target(120, 60, at_most=True))
    if not bench.on_gpu:
        return [replace(row, note="no GPU in use")]
    cache = bench.new("cache")
    path, finished = bench.train(bench.images, "--steps", 50_000, "--cache", cache)
    shutil.rmtree(path)
    shutil.rmtree(cache)
    text = "whole command: ingestion, milestones, checkpoints"
    return [replace(row, ganface=[finished.seconds], note=text)]


def show_help(bench: Bench) -> list[Row]:
    """`ganface --help` over `python -c "import typer, rich"`"""

    def ours() -> float:
        return ganface("--help").seconds * 1000

    def theirs() -> float:
        return run("-c", "import typer, rich").seconds * 1000

    in_turns(1, ours, theirs)  # reads all files once
    a, b = in_turns(bench.amounts.help_pairs, ours, theirs)
    return [Row("--help", "ms", a, b, Target(2, 1.3, at_most=True), "over import typer, rich")]


def ingestion(bench: Bench) -> list[Row]:
    """images/s of dataset build over a plain pass through an ImageFolder"""
    images = bench.images

    def ours() -> float:
        path = bench.new("pack").with_suffix(".safetensors")
        seconds = ganface("dataset", "build", images, path, "--size", SIZE).seconds
        path.unlink()
        return seconds

    def theirs() -> tuple[float, int, float]:
        done = run(HERE / "reference_ingest.py", images, SIZE)
        return done.seconds, *json.loads(done.out)

    a, b = in_turns(bench.amounts.ingestion_pairs, ours, theirs)
    count = b[0][1]
    text = f"{count:,} files, both whole commands"
    alone = "over the pass alone, PyTorch imported before and not counted"
    ours_rates = [count / seconds for seconds in a]
    whole_rates = [count / seconds for seconds, _, _ in b]
    pass_rates = [count / seconds for _, _, seconds in b]
    return [
        Row("ingestion", "images/s", ours_rates, whole_rates, Target(1.8, 3), text),
        Row("ingestion, strictly", "images/s", ours_rates, pass_rates, None, alone),
    ]


def sampling(bench: Bench) -> list[Row]:
    """faces/s written as PNG files, over batches of 64 and save_image"""
    count = bench.amounts.samples
    model, _ = bench.train(bench.pack, "--steps", 10)

    def timed(draw: Callable[[Path], Finished]) -> float:
        out = bench.new("sampled")
        seconds = draw(out).seconds
        assert len(list(out.glob("*.png"))) == count
        shutil.rmtree(out)
        return count / seconds

    def ours(out: Path) -> Finished:
        options = ("--images", "--seeds", f"0-{count - 1}", "--device", bench.device)
        options += ("--scale", "1")  # as save_image writes them
        return ganface("sample", model, *options, "--out", out)

    def theirs(out: Path) -> Finished:
        snapshot, options = model / "generator.safetensors", ("--device", bench.device)
        return run(HERE / "reference_sample.py", snapshot, out, "--count", count, *options)

    a, b = in_turns(bench.amounts.sampling_pairs, lambda: timed(ours), lambda: timed(theirs))
    shutil.rmtree(model)
    text = f"{count:,} faces, both whole commands, one G after 10 updates"
    return [Row("sampling", "faces/s", a, b, Target(2, 4), text)]


def memory(bench: Bench) -> list[Row]:
    """anonymous memory after many batches from a large pack, over a small one"""
    row = Row("anonymous memory", "MiB", target=Target(1.2, 1.05, at_most=True))
    if not sys.platform.startswith("linux"):
        return [replace(row, note="not on this system: Linux alone tells")]
    amounts, script = bench.amounts, HERE / "anonymous_memory.py"

    def pack_of(count: int) -> Path:
        path = bench.new("synthetic").with_suffix(".safetensors")
        run(script, "write", path, count)
        return path

    def drawn_from(pack: Path) -> float:
        return int(run(script, "draw", pack, amounts.batches).out) / 1024

    large, small = pack_of(amounts.large_pack), pack_of(amounts.small_pack)
    a, b = in_turns(amounts.memory_pairs, lambda: drawn_from(large), lambda: drawn_from(small))
    large.unlink()
    small.unlink()
    text = (
        f"RssAnon over {amounts.batches:,} batches: a pack of {amounts.large_pack:,} images "
        f"over one of {amounts.small_pack:,} (reference)"
    )
    return [replace(row, ganface=a, reference=b, note=text)]


ROWS: dict[str, Callable[[Bench], list[Row]]] = {
    "training": training,
    "fp32": fp32,
    "start": start,
    "course": course,
    "help": show_help,
    "ingestion": ingestion,
    "sampling": sampling,
    "memory": memory,
}
NOT_QUICK = ("fp32", "start", "course")


# ---------------------------------------------------------------------------- the whole


def machine(bench: Bench) -> dict[str, object]:
    """What the figures hold for."""
    cpu = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(": ")[1] for line in lines if line.startswith("model name")), cpu)
    gpu = None
    if bench.on_gpu:
        gpu = run("-c", "import torch; print(torch.cuda.get_device_name())").out.strip()
    memory = None
    if hasattr(os, "sysconf"):
        memory = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    commit = None
    if shutil.which("git"):
        describe = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
        commit = subprocess.run(describe, capture_output=True, text=True).stdout.strip() or None
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_GiB": memory,
        "gpu": gpu,
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "torchvision": version("torchvision"),
        "ganface": ganface("--version").out.split()[-1],
        "commit": commit,
        "command": shlex.join(["scripts/bench", *sys.argv[1:]]),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=__doc__,
        epilog="rows:\n" + "\n".join(f"  {name:10} {row.__doc__}" for name, row in ROWS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="what to measure; all if none named")
    parser.add_argument(
        "--quick", action="store_true", help=f"less of each, and without {', '.join(NOT_QUICK)}"
    )
    parser.add_argument("--data", type=Path, help="a folder of images instead of drawn faces")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    parser.add_argument(
        "--json", type=Path, default=Path("bench.json"), help="%(default)s if not given"
    )
    args = parser.parse_args(arguments)
    names = args.rows or [name for name in ROWS if not (args.quick and name in NOT_QUICK)]
    for name in names:
        if name not in ROWS:
            parser.error(f"no row {name}; there are {', '.join(ROWS)}")
    if args.data and not args.data.is_dir():
        parser.error(f"--data {args.data}: no such folder")

    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as work:
        amounts = QUICK if args.quick else FULL
        bench = Bench(Path(work), args.data and args.data.resolve(), args.device, amounts)
        header = machine(bench)
        for name in names:
            note(f"{name}: {ROWS[name].__doc__}")
            rows += ROWS[name](bench)
            result = {"machine": header, "rows": [row.as_json() for row in rows]}
            args.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")

    console = Console(width=None if sys.stdout.isatty() else 100)
    for key, value in header.items():
        if value is not None:
            console.print(f"{key}: {value}", highlight=False, markup=False)
    caption = "Targets for a CPU are for two cores with bf16 in hardware, for a GPU an H100."
    console.print(as_table(rows, caption))
    for row in rows:
        if row.note:
            console.print(f"{row.name}, {row.unit}: {row.note}", highlight=False, markup=False)
    console.print(f"written to {args.json}", highlight=False, markup=False)


if __name__ == "__main__":
    main()
