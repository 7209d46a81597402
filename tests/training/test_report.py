import json
from io import StringIO

import torch
from conftest import train_config
from rich.console import Console

from ganface.io.stats import StatsFile
from ganface.methods.gan import Gan
from ganface.methods.verdict import EARLY, Verdict
from ganface.system.device import Compute
from ganface.training.display import Display
from ganface.training.distributed import Processes
from ganface.training.report import Reporter, take_means
from ganface.training.start import create
from ganface.training.writer import HostCopy


def test_statistics_are_means_over_the_updates_since_the_last_line():
    compute = Compute(torch.device("cpu"), "fp32")
    _, state = create(train_config(width=4, z_dim=8), 32, compute)
    for sums, updates, means in (
        ([2.0, 4, 6, 8, 0, 0, 0, 0], 2, [1, 2, 3, 4, 0, 0, 0, 0]),
        ([9.0, 6, 3, 0, 3, 3, 3, 3], 3, [3, 2, 1, 0, 1, 1, 1, 1]),
    ):
        state.tensors["sums"] += torch.tensor(sums)
        state.summed += updates
        assert take_means(state, Processes()).tolist() == means


class AtOnce:
    """A writer without a thread."""

    def submit(self, copy, job):
        job(copy.wait())


def verdicts(path, *parts):
    """The verdicts of a training that is written in parts, each by a Reporter of its own."""
    compute, config = Compute(torch.device("cpu"), "fp32"), train_config(width=4, z_dim=8)
    method, state = create(config, 32, compute)

    class Judged(Gan):
        @classmethod
        def judge(cls, lines):
            return Verdict(f"of step {lines[-1]['step']}")

    method.__class__ = Judged
    for steps in parts:
        state.step = steps[0] - 10
        with Display(Console(file=StringIO()), 0, 100, Gan.display) as display:
            stats = StatsFile(path, state.step)
            reporter = Reporter(stats, display, AtOnce(), config, method, state)
            for step in steps:
                state.step = step
                figures = {"means": torch.ones(len(Gan.metrics))}
                if step % 50 == 0:
                    figures["diagnostics"] = torch.ones(len(Gan.diagnostics))
                reporter.tick(HostCopy(figures), None)
    return [json.loads(line)["verdict"] for line in path.read_text().splitlines()]


def test_a_verdict_is_found_anew_only_where_there_is_something_new_to_look_at(tmp_path):
    """Every line has one, but to find it means to read all that was found before."""
    found = verdicts(tmp_path / "stats.jsonl", range(10, 160, 10))
    assert found == [f"of step {step}" for step in [10] * 4 + [50] * 5 + [100] * 5 + [150]]


def test_a_run_that_goes_on_has_the_verdicts_of_one_that_was_not_stopped(tmp_path):
    whole = verdicts(tmp_path / "whole", range(10, 160, 10))
    assert verdicts(tmp_path / "cut", range(10, 130, 10), range(80, 160, 10)) == whole


def test_a_verdict_is_told_when_it_changes():
    console = Console(file=StringIO(), width=80)
    with Display(console, 0, 100, Gan.display) as display:
        for step, verdict in ((10, str(EARLY)), (20, "healthy"), (30, "healthy"), (40, "bad: x")):
            line = {"step": step, **dict.fromkeys(Gan.metrics, 0.5), "verdict": verdict}
            display.tick({**line, "images_per_second": 1.0, "precision": "fp32"})
    told = [line for line in console.file.getvalue().splitlines() if "images/s" not in line]
    assert told == ["step 20: healthy", "step 40: bad: x"]
