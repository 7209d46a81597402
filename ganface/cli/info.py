"""`ganface info`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganface.cli.shared import AsJson
from ganface.errors import UserError
from ganface.io.console import clock, one_line, show_result


def info(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A run directory; or a pack, checkpoint, snapshot, file of latents or picture.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Say what a file made here holds, and check that it is whole."""
    from ganface.io.run import Run, find_model

    if file.is_dir() and Run(file).holds_training():
        from ganface.training.summary import summarise

        summary = summarise(Run(file))
        show_result({"file": str(file), **summary}, as_json, describe_run(summary))
        return
    path = find_model(file)
    meta = describe_file(path)
    lines = [one_line(f"{key}: {_compact(value)}") for key, value in meta.items()]
    show_result({"file": str(path), **meta}, as_json, "\n".join(lines))


def describe_run(run: dict[str, Any]) -> str:
    """The lines of `ganface info RUN`, of what `training.summary.summarise` gives."""
    import shlex

    from ganface.config.settings import as_flags

    lines = {
        "kind": "run",
        "data": f"{run['images']:,} images of {run['size']} × {run['size']}, {run['dataset'][:12]}",
        "labels": run["labels"] and _compact(run["labels"]),
        "method": f"{run['method']}, on {run['device']}, {run['precision']}",
        "settings": shlex.join(as_flags(run["settings"])) or "the defaults",
        "steps": f"{run['step']:,} of {run['steps']:,}",
        "time": run["seconds"] and clock(run["seconds"]),
        "verdict": run["verdict"],
        "best": run["best_step"]
        and f"step {run['best_step']:,}, score {run['best_score']:.1f}"
        f" (the latest: {run['score']:.1f}; lower is better)",
        "snapshots": ", ".join(f"{step:,}" for step in run["snapshots"]),
        "checkpoints": ", ".join(f"{step:,}" for step in run["checkpoints"]),
        "made by": f"ganface {run['versions'].get('ganface')}",
    }
    return "\n".join(one_line(f"{key}: {text}") for key, text in lines.items() if text)


def describe_file(path: Path) -> dict[str, Any]:
    """The metadata of any file that ganface writes, once it is found whole.

    Raises UserError if it is damaged, or was not made by ganface. Imports no torch.
    """
    from ganface.dataset.pack import check_pack
    from ganface.io.tensors import check_tensors, read_header
    from ganface.models.header import read_model_header
    from ganface.pictures.animation import ANIMATIONS, read_animation_meta
    from ganface.pictures.png import read_png_meta

    suffix = path.suffix.lower()
    if suffix == ".png" or suffix in ANIMATIONS:
        meta = read_png_meta(path) if suffix == ".png" else read_animation_meta(path)
        if meta is None:
            raise UserError(f"{path}: a picture that was not made by ganface, or damaged")
        return meta
    kind = read_header(path).meta["kind"]
    if kind == "pack":
        return check_pack(path)
    if kind in ("latents", "directions"):
        return check_tensors(path, kind)
    read_model_header(path)  # first, since it refuses a file that is larger than the memory
    return check_tensors(path, "pack", "checkpoint", "snapshot")


def _compact(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_compact(part)}" for key, part in value.items())
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return f"({', '.join(value)})"
    return str(value)
