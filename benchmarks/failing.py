"""Make trainings fail in four ways, and see what ganface says of each, and of a healthy one.

The images are drawn. On two CPU cores it takes some ten minutes. The exit code is 1 if a failure
was not named within 200 updates, or if the healthy training raised an alarm.
"""

import argparse
import json
import random
import shutil
import sys
from pathlib import Path

from PIL import Image
from workbench import ROOT, show_run

from ganface.methods.verdict import EARLY, HEALTHY

FOLDER = ROOT / "failures"
STEPS, POISONED = 200, 50
FINE = (HEALTHY.kind, EARLY.kind)
# Runs `ganface train`, and puts NaN into a weight of G after so many updates. In each of them D's
# optimiser makes a step, then G's.
DRIVER = """
import sys
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

steps, count = 0, 2 * int(sys.argv.pop(1))

def poison(optimizer, *_):
    global steps
    steps += 1
    if steps == count:
        with torch.no_grad():
            optimizer.param_groups[0]["params"][0][0] = torch.nan

register_optimizer_step_post_hook(poison)
from ganface.cli.main import main
main()
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/failures", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000, help="of the healthy training")
    args = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    faces, copies = FOLDER / "faces", FOLDER / "copies"
    show_run("-m", "ganface", "dataset", "demo", faces, "--count", 3000)
    draw_copies(faces / "000000.png", copies)
    # By the paper's recipe: relativistic pairs with R1 and R2 leave D no chance to win
    strong = ("--preset", "dcgan", "--lr-d", "4e-3", "--lr-g", "1e-5")
    driver = ("-c", DRIVER, POISONED)
    runs = {
        "D far too strong": ("D is winning", train(faces, *strong)),
        "learning rates times 50": ("the learning rate is too high", train(faces, "--lr", "1e-2")),
        "1,000 noisy copies of one face": ("your images are nearly all alike", train(copies)),
        "NaN put into a weight": ("not a number", train(faces, driver=driver)),
        f"healthy, {args.steps:,} updates": (None, train(faces, steps=args.steps)),
    }
    print("\n| training | verdicts, and the steps at which they came |\n| --- | --- |")
    failed = False
    for name, (expected, verdicts) in runs.items():
        failed |= expected not in verdicts if expected else bool(verdicts)
        told = ", ".join(f"{verdict} ({step})" for verdict, step in verdicts.items())
        print(f"| {name} | {told or 'nothing but healthy'} |")
    return int(failed)


def draw_copies(face: Path, folder: Path) -> None:
    """1,000 times the same face, with noise of its own for each."""
    folder.mkdir()
    dice = random.Random(0)
    with Image.open(face) as image:
        pixels = image.convert("RGB").tobytes()
        for index in range(1000):
            noise = dice.choices(range(-16, 17), k=len(pixels))
            noisy = bytes(min(255, max(0, p + n)) for p, n in zip(pixels, noise, strict=True))
            Image.frombytes("RGB", image.size, noisy).save(folder / f"{index:04d}.png")


def train(
    data: Path, *options: str, steps: int = STEPS, driver: tuple[object, ...] = ("-m", "ganface")
) -> dict[str, int]:
    """Train, and return the verdicts that are not fine, each with its first step."""
    run = FOLDER / f"run-{len(list(FOLDER.glob('run-*')))}"
    arguments = ("train", data, "--out", run, "--cache", FOLDER / "cache", "--steps", steps)
    size = ("--size", 32, "--width", 32, "--milestones", steps)
    show_run(*driver, *arguments, *size, *options)
    verdicts: dict[str, int] = {}
    for line in map(json.loads, (run / "stats.jsonl").read_text().splitlines()):
        verdicts.setdefault(line["verdict"].partition(":")[0], line["step"])
    return {verdict: step for verdict, step in verdicts.items() if verdict not in FINE}


if __name__ == "__main__":
    sys.exit(main())
