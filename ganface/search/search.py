"""How far settings decide what comes out: many trainings of each kind, with settings drawn."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch

from ganface.config.architecture import check_size
from ganface.config.dataset import BuildConfig
from ganface.config.optimizer import OptimizerConfig
from ganface.dataset.cache import open_pack
from ganface.dataset.pack import Pack
from ganface.errors import Interrupted, UserError, WorkError
from ganface.evaluation.drawn import DrawnImages
from ganface.evaluation.evaluate import Evaluation, split_size
from ganface.evaluation.measure import COUNT_CPU
from ganface.evaluation.report import describe_protocol, format_figure
from ganface.io.atomic import write_text
from ganface.io.console import progress_bar, say
from ganface.io.lock import locked
from ganface.io.run import LOCK
from ganface.io.stats import read_lines
from ganface.pictures.faces import open_generator
from ganface.pictures.png import save_png
from ganface.search.draws import Draw, describe, draws_of
from ganface.search.report import Result, draw_spread, summarise
from ganface.search.trainings import WIDTH, Trainings
from ganface.system.signals import StopRequest

BUDGET = 1000
SIZE = 32
RESULTS = "search.json"
NAN = "not a number"  # how the last words of a training begin that came to that
# What all trainings of one search have in common
COMMON = ("count", "size", "reals", "budget", "seed", "width")


def search(
    data: Path,
    out: Path,
    draws: int,
    cache: Path,
    device: torch.device,
    budget: int = BUDGET,
    jobs: int = 1,
    seed: int = 0,
    given: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Train `draws` draws of each kind, and its defaults, and measure what they draw in the end.

    Those that are in `out` already are left as they are, and those under way go on. Writes
    search.json, search.png and the runs into `out`, and says on stderr what each came to.
    budget: updates of each; jobs: trainings at a time; cache: the folder for packs; given: the
    settings of BuildConfig that were asked for.
    Returns what search.json holds. Raises UserError if there are too few images, or if `out` holds
    another search; WorkError if a training could not go on; Interrupted after a signal.
    """
    reals = _open_reals(data, cache, given or {})
    count = split_size(COUNT_CPU, COUNT_CPU, len(reals))
    facts = {
        "data": str(data),
        **describe_protocol(reals, count, count, device, None),
        "budget": budget,
        "seed": seed,
        "width": WIDTH,
    }
    wanted = draws_of(draws, seed)
    with locked(out / LOCK, out):
        results = _read_results(out / RESULTS, facts, wanted)
        with progress_bar("reals") as track:
            evaluation = Evaluation(reals, count, device, track)
        facts["floors"] = evaluation.floors
        _save(out, facts, results)

        waiting = [draw for draw in wanted if draw.name not in results]
        there = f"; {len(wanted) - len(waiting)} are there already" if results else ""
        say(f"{len(wanted)} trainings of {budget:,} updates, {jobs} at a time, in {out}{there}")
        trainings = Trainings(out / "runs", reals.path, budget, jobs, seed, device)
        stop, began = StopRequest(), time.monotonic()
        with stop.listening(), closing(trainings.train(waiting, stop)) as ended:
            for done, (draw, code) in enumerate(ended, start=1):
                result = _result_of(draw, code, trainings, evaluation)
                results[draw.name] = result
                _save(out, facts, results)
                for path in trainings.run(draw).checkpoints().values():
                    path.unlink()  # by far the most of a run, and of no use any more
                left = len(waiting) - done
                seconds = round((time.monotonic() - began) / done * left)
                say(
                    f"{len(wanted) - left} of {len(wanted)}: {draw.name}: "
                    f"{describe(draw.settings)}: {_outcome(result)}"
                    + (f"; about {timedelta(seconds=seconds)} left" if left else "")
                )
    missing = sum(draw.name not in results for draw in wanted)
    if missing:
        raise Interrupted(
            f"stopped; {len(wanted) - missing} of {len(wanted)} trainings are done. To go on: the "
            f"same command with --out {out} --resume",
            stop.number,
        )
    return _facts(facts, results)


def _open_reals(data: Path, cache: Path, given: dict[str, Any]) -> Pack:
    check_size(given.get("size", SIZE))
    with progress_bar("reading images") as track:
        reals, report = open_pack(data, BuildConfig(**{"size": SIZE, **given}), given, cache, track)
    if report:
        report.show()
    if len(reals) < OptimizerConfig.batch_size:
        raise UserError(
            f"{data}: {len(reals)} images; a search takes at least {OptimizerConfig.batch_size}"
        )
    return reals


def _read_results(path: Path, facts: dict[str, Any], wanted: list[Draw]) -> dict[str, Result]:
    """What a search that began before came to so far, by name.

    Raises UserError if that is damaged, or the search was another one.
    """
    if not path.exists():
        return {}
    try:
        stored = json.loads(path.read_text("utf-8"))
        others = [name for name in COMMON if stored[name] != facts[name]]
        results = {name: Result(**each) for name, each in stored["trainings"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: damaged ({error!r}); give another --out") from error
    for draw in wanted:
        if draw.name in results and results[draw.name].settings != draw.settings:
            others.append(f"draw {draw.name}")
    if others:
        raise UserError(
            f"{path}: cannot be resumed with another {', '.join(others)}; give the same, or "
            "another --out"
        )
    return results


def _result_of(draw: Draw, code: int, trainings: Trainings, evaluation: Evaluation) -> Result:
    """What a training came to that ended with this exit code.

    Raises WorkError if it neither reached its end nor came to what is no number: that says nothing
    of its settings.
    """
    run, log, words = trainings.run(draw), trainings.log(draw), trainings.last_words(draw)
    if code != 0 and not (code == 1 and words.startswith(NAN)):
        raise WorkError(
            f"{run.path}: ended with exit code {code} ({words}; see {log}). "
            "To go on once it can: the same command with --resume"
        )
    lines = read_lines(run.stats) if run.stats.exists() else []
    verdicts = [line["verdict"] for line in lines if line.get("verdict")]
    figures = None
    if code == 0:
        device, count = trainings.device, evaluation.count
        G, _ = open_generator(run.snapshot(trainings.budget), device)
        figures, _ = evaluation.measure(DrawnImages(G, count), range(count))
    return Result(
        **asdict(draw),
        figures=figures,
        failed=words if code else None,
        verdict=verdicts[-1] if verdicts else None,
    )


def _outcome(result: Result) -> str:
    if result.figures is None:
        return f"failed: {result.failed}"
    return f"Fréchet distance {format_figure('frechet', result.figures['frechet'])}"


def _facts(facts: dict[str, Any], results: dict[str, Result]) -> dict[str, Any]:
    """What search.json holds."""
    trainings = {name: asdict(result) for name, result in results.items()}
    return {**facts, "summary": summarise([*results.values()]), "trainings": trainings}


def _save(out: Path, facts: dict[str, Any], results: dict[str, Result]) -> None:
    found = _facts(facts, results)
    write_text(out / RESULTS, json.dumps(found, indent=1) + "\n")
    picture = draw_spread(found["summary"], found["floors"]["frechet"], found["budget"])
    meta = {"kind": "chart", "budget": found["budget"], "seed": found["seed"]}
    save_png(out / "search.png", picture, meta)
