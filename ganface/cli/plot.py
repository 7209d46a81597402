"""`ganface plot`."""

from pathlib import Path
from typing import Annotated

import typer

from ganface.cli.shared import AsJson, choose_out, require_png
from ganface.errors import UserError
from ganface.io.console import show_result


def plot(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    out: Annotated[Path | None, typer.Option(help="The PNG; NAME-plot.png if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw how a training went, as one chart."""
    from ganface.io.folders import name_of
    from ganface.io.run import Run
    from ganface.io.stats import read_lines
    from ganface.methods.registry import method_of
    from ganface.pictures.plot import describe_last, draw_plot
    from ganface.pictures.png import save_png
    from ganface.pictures.text import can_write

    stats = Run(run).stats
    try:
        lines = read_lines(stats)
    except OSError as error:
        raise UserError(f"{run}: not a run directory with a stats.jsonl") from error
    if not lines:
        raise UserError(f"{stats}: holds no statistics yet; they come with the first 10 updates")
    out = choose_out(out, f"{name_of(run)}-plot.png")
    require_png(out, "a plot is a .png")

    step = lines[-1]["step"]
    name = name_of(run)
    picture = draw_plot(
        lines,
        method_of(lines).panels,
        title=name if can_write(name) else "training",
        note=describe_last(lines),
    )
    save_png(out, picture, {"kind": "plot", "step": step})
    verdict = lines[-1].get("verdict")
    show_result({"out": str(out), "step": step, "verdict": verdict}, as_json, str(out))
