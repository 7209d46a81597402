"""Try and measure everything that a GPU changes, unattended, and write one report of it.

Each step is a process of its own with a time limit; those that measure no times run side by side.
The report, gpu_check.md and gpu_check.json, is written anew after each, so that being cut off loses
nothing. Needs no internet and nothing but ganface's own packages, with the PyTorch that is there.
Ends with 1 if a step failed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any

from gpu_steps import HERE, STEPS
from workbench import note, own_environment

LEAST = 5  # seconds; with less left a step is not begun
SIDE_BY_SIDE = min(4, os.cpu_count() or 1)


@dataclass
class Outcome:
    """What became of a step."""

    name: str
    title: str
    status: str = "not begun"  # then "ok", "failed", "cut off" or "no time left"
    seconds: float = 0.0
    result: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def says(self) -> str:
        return self.error.strip().splitlines()[-1] if self.error else self.result.get("says", "")


def run_step(outcome: Outcome, work: Path, limit: float, cpu: bool) -> None:
    """Run a step for `limit` seconds at most, and note what became of it."""
    found = work / f"{outcome.name}.json"
    command = [sys.executable, HERE / "gpu_steps.py", outcome.name, "--work", work]
    command += ["--limit", f"{limit:.0f}", "--json", found, *(["--cpu"] if cpu else [])]
    began = time.monotonic()
    process = subprocess.Popen(
        [*map(str, command)],
        # Programs of several threads that share a CPU's cores crawl
        env={**own_environment(), **({"OMP_NUM_THREADS": "1"} if cpu else {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # a group of its own, with all that it starts
    )
    try:
        _, err = process.communicate(timeout=limit)
        outcome.status = "failed" if process.returncode else "ok"
    except subprocess.TimeoutExpired:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        _, err = process.communicate()
        outcome.status, err = "cut off", f"{err}\ncut off after {limit:.0f} s"
    outcome.seconds = time.monotonic() - began
    if outcome.status != "ok":
        outcome.error = err[-6000:] or f"ended with {process.returncode}"
    if found.exists():
        outcome.result = json.loads(found.read_text())


def as_markdown(outcomes: list[Outcome], command: str) -> str:
    """The report."""
    lines = ["# What this GPU does", "", f"`{command}`", ""]
    machine = outcomes[0].result.get("figures", {})
    lines += [f"- {name}: {value}" for name, value in machine.items()]
    lines += ["", "| step | shows | result | says | s |", "| --- | --- | --- | --- | --- |"]
    for each in outcomes:
        says = each.says.replace("|", "/")
        lines.append(
            f"| {each.name} | {each.title} | {each.status} | {says} | {each.seconds:.1f} |"
        )
    for each in outcomes:
        head, rows = each.result.get("head"), each.result.get("rows")
        if not (rows or each.error):
            continue
        lines += ["", f"## {each.name}: {each.title}", "", each.says]
        if rows:
            lines += ["", as_row(head), as_row(["---"] * len(head)), *map(as_row, rows)]
        if each.error:
            lines += ["", "```", each.error.strip(), "```"]
    return "\n".join(lines) + "\n"


def as_row(cells: list[Any]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/gpu_check",
        description=__doc__,
        epilog="steps:\n" + "\n".join(f"  {name:10} {step.title}" for name, step in STEPS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("steps", nargs="*", metavar="STEP", help="what to try; all if none named")
    parser.add_argument("--limit", type=float, default=540, help="seconds in all (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the report")
    parser.add_argument("--cpu", action="store_true", help="the same steps, small, without a GPU")
    args = parser.parse_args(arguments)
    for name in args.steps:
        if name not in STEPS:
            parser.error(f"no step {name}; there are {', '.join(STEPS)}")
    names = [name for name in STEPS if name in args.steps or not args.steps or name == "start"]

    args.out.mkdir(parents=True, exist_ok=True)
    outcomes = {name: Outcome(name, STEPS[name].title) for name in names}
    command = " ".join(["scripts/gpu_check", *(arguments or sys.argv[1:])])
    end = time.monotonic() + args.limit
    writing = Lock()

    def try_step(name: str) -> None:
        outcome = outcomes[name]
        limit = min(STEPS[name].limit, end - time.monotonic())
        if limit < LEAST:
            outcome.status = "no time left"
        else:
            run_step(outcome, Path(work), limit, args.cpu)
        note(f"{name}: {outcome.status}, {outcome.seconds:.1f} s: {outcome.says}")
        with writing:
            whole = [vars(each) for each in outcomes.values()]
            (args.out / "gpu_check.json").write_text(json.dumps(whole, indent=1) + "\n")
            report = as_markdown([*outcomes.values()], command)
            (args.out / "gpu_check.md").write_text(report, encoding="utf-8")

    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for alone, group in groupby(names, lambda name: STEPS[name].alone):
            for _ in map(try_step, group) if alone else pool.map(try_step, group):
                pass
    note(f"written to {args.out / 'gpu_check.md'}")
    if any(each.status != "ok" for each in outcomes.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
