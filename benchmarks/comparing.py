"""Compare ways to train on your own images, at each milestone: a table, curves, and what to trust.

Trains once for each recipe and seed. It can be stopped, and goes on when started again with the
same arguments. OUT/curves.png shows the mean over the seeds of each recipe.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import mean

import learnt
import torch
from workbench import show_run

from ganface.config.dataset import BuildConfig
from ganface.dataset.cache import open_pack
from ganface.dataset.pack import Pack
from ganface.evaluation.score import FACES, Scorer
from ganface.io.run import Run
from ganface.models.generate import generate, latents_of, use_compiled_kernels
from ganface.models.snapshot import load_generator
from ganface.pictures.chart import draw_chart
from ganface.pictures.panels import Line, Panel
from ganface.pictures.png import save_png

PAPER = "--preset dcgan"
RECIPES = {
    "the default": "",
    "the paper's (--preset dcgan)": PAPER,
    "the paper's with hinge": f"{PAPER} --loss hinge",
    "nearest, modulated": f"{PAPER} --upsample nearest --modulate",
    "hinge, BatchNorm, R1": "--loss hinge",
    "hinge, BatchNorm, no R1, rates that stay": "--loss hinge --r1 0 --lr-decay 0",
    "rates that stay": "--lr-decay 0",
    "augmented": "--augment on",
    "not augmented": "--augment off",
    "half the rates": "--lr 1e-4",
    "twice the rates": "--lr 4e-4",
    "R1 and R2 of 0.05": "--r1 0.05 --r2 0.05",
    "R1 and R2 of 0.5": "--r1 0.5 --r2 0.5",
    "no BatchNorm in D": "--loss ns --norm none",
    "spectral norm": "--loss hinge --norm none --r1 0 --spectral-norm",
    "Wasserstein": "--loss wgan-gp",
}
SHOWN = 5  # recipes that a chart has colours for: the best
CURVES = {
    "learnt": ("Fréchet distance, learnt features (lower is better)", True),
    "coverage": ("coverage (higher is better)", False),
    "score": ("score, as trainings compute it (lower is better)", True),
}
MILESTONES = "1000,2000,3000,5000,7500,10000,15000,20000,30000,40000,50000"

Course = dict[int, dict[str, float]]  # the figures of a run at each of its milestones


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/recipes", description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder, a .zip or a pack")
    parser.add_argument("out", type=Path, help="a folder for the runs and what they come to")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--milestones", default=MILESTONES)
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each recipe")
    parser.add_argument("--only", nargs="+", choices=RECIPES, default=list(RECIPES))
    args = parser.parse_args()

    pack, _ = open_pack(args.data, BuildConfig(size=args.size), {}, args.out / "cache")
    meter = Meter(pack, args.out / f"features-{pack.size}.safetensors")
    courses: dict[str, list[Course]] = {}
    for name in args.only:
        courses[name] = []
        for seed in range(args.seeds):
            folder = args.out / f"{name} {seed}".replace(" ", "-")
            options = ["--width", args.width, "--steps", args.steps, "--seed", seed]
            options += ["--milestones", args.milestones, *RECIPES[name].split()]
            train(pack, folder / "run", options)
            courses[name].append(meter.course(Run(folder / "run"), folder / "figures.json"))
        show(courses, meter)
        draw(courses, args.out / "curves.png")


def train(pack: Pack, run: Path, options: list[object]) -> None:
    show_run("-m", "ganface", "train", pack.path, "--out", run, "--resume", *options)


class Meter:
    """Measures what runs came to."""

    def __init__(self, pack: Pack, features: Path) -> None:
        self._judge = learnt.Judge(pack, features)
        self._scorer = Scorer(pack, torch.device("cpu"))
        self.floors = self._judge.floors

    def course(self, run: Run, kept: Path) -> Course:
        """The figures at every milestone, from the file `kept` as far as they are there."""
        course = json.loads(kept.read_text()) if kept.is_file() else {}
        for step, snapshot in run.snapshots().items():
            if str(step) not in course:
                course[str(step)] = self.measure(snapshot)
                kept.write_text(json.dumps(course))
        return {int(step): figures for step, figures in course.items()}

    def measure(self, snapshot: Path) -> dict[str, float]:
        G, _ = load_generator(snapshot)
        use_compiled_kernels(G, learnt.SAMPLES)
        images = generate(G, latents_of(G, range(learnt.SAMPLES)))
        described = self._scorer.extract_features(images[:FACES])
        return {
            **self._judge.measure(images),
            "score": self._scorer.score(described),
            "swd": described["distances"].mean().item(),
        }


def show(courses: dict[str, list[Course]], meter: Meter) -> None:
    """A table: Fréchet distance in learnt features, coverage in brackets."""
    steps = sorted({step for runs in courses.values() for run in runs for step in run})
    print("\n| recipe |", " | ".join(f"{step:,}" for step in steps), "|")
    print("| --- |" + " --- |" * len(steps))
    for name, runs in ranked(courses):
        cells = [
            f"{mean_of(runs, step, 'learnt'):.1f} ({mean_of(runs, step, 'coverage'):.2f})"
            for step in steps
            if all(step in run for run in runs)
        ]
        print(f"| {name} |", " | ".join(cells), "|")
    print(f"| *reals* | {meter.floors['learnt']:.1f} ({meter.floors['coverage']:.2f}) |")
    found = [figures for runs in courses.values() for run in runs for figures in run.values()]
    for name in ("score", "swd"):
        pairs = [(figures[name], figures["learnt"]) for figures in found]
        print(f"rank correlation with {name} over {len(pairs)} snapshots: {correlation(pairs):.3f}")


def draw(courses: dict[str, list[Course]], path: Path) -> None:
    panels = []
    for figure, (title, log) in CURVES.items():
        lines = [
            Line(name, steps := sorted(runs[0]), [mean_of(runs, step, figure) for step in steps])
            for name, runs in ranked(courses)[:SHOWN]
        ]
        panels.append(Panel(title, lines, log=log))
    path.unlink(missing_ok=True)
    save_png(path, draw_chart(panels, "updates"), {"kind": "curves"})


def ranked(courses: dict[str, list[Course]]) -> list[tuple[str, list[Course]]]:
    """Best first, by the last milestone."""
    return sorted(courses.items(), key=lambda item: mean_of(item[1], max(item[1][0]), "learnt"))


def mean_of(runs: list[Course], step: int, figure: str) -> float:
    return mean(run[step][figure] for run in runs if step in run)


def correlation(pairs: list[tuple[float, float]]) -> float:
    """Spearman's: 1 where both put the snapshots in the same order."""
    ranks = torch.tensor(pairs).T.argsort(1).argsort(1).double()
    return torch.corrcoef(ranks)[0, 1].item()


if __name__ == "__main__":
    sys.exit(main())
