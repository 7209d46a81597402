"""What there is to say of a run as a whole: data, method, steps, verdict, best, time."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ganface.errors import UserError
from ganface.io.run import Run, read_config
from ganface.io.stats import read_lines
from ganface.io.tensors import check_tensors
from ganface.methods.verdict import is_best, with_figures
from ganface.models.header import read_model_header
from ganface.training.config import TrainConfig


def summarise(run: Run) -> dict[str, Any]:
    """The run in figures; what its files do not say is None. Imports no torch.

    Raises UserError if it has no settings that can be read, or if its generator is damaged.
    """
    config = read_config(run)
    try:
        images, size = (int(config["dataset"][name]) for name in ("images", "size"))
        fingerprint, steps = str(config["dataset"]["fingerprint"]), int(config["train"]["steps"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{run.config}: not the settings of a run of ganface") from error
    lines = []
    with suppress(OSError):
        lines = read_lines(run.stats)
    timed = with_figures(("seconds",), lines)
    scored = with_figures(("score",), lines)
    lowest = min((line["score"] for line in scored), default=None)
    best = [line for line in scored if is_best(line["score"], lowest)]
    last = lines[-1] if lines else {}
    snapshots, checkpoints = [*run.snapshots()], [*run.checkpoints()]
    settings: dict[str, Any] = {}
    with suppress(UserError):  # of another ganface; config.json has them
        settings = TrainConfig.stored(config["train"]).unusual()
    return {
        "kind": "run",
        "images": images,
        "size": size,
        "dataset": fingerprint,
        "labels": _labels(run),
        "method": config["train"].get("method", "gan"),
        "settings": settings,
        "device": config.get("device"),
        "precision": config.get("precision"),
        # A training that was stopped kept steps for which there is no line
        "step": max([last.get("step", 0), *snapshots, *checkpoints]),
        "steps": steps,
        "images_seen": last.get("images_seen"),
        "seconds": timed[-1]["seconds"] if timed else None,
        "verdict": last.get("verdict"),
        "best_step": best[-1]["step"] if best else None,
        "best_score": best[-1]["score"] if best else None,
        "score": scored[-1]["score"] if scored else None,
        "snapshots": snapshots,
        "checkpoints": checkpoints,
        "versions": config["versions"],
    }


def _labels(run: Run) -> dict[str, Any] | None:
    """What faces can be ordered by, as the latest snapshot says."""
    if not run.generator.is_file():
        return None
    read_model_header(run.generator)  # first, since it refuses a file larger than the memory
    labels = check_tensors(run.generator, "snapshot")["generator"].get("labels")
    return labels if isinstance(labels, dict) else None
