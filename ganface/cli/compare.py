"""`ganface compare`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganface.cli.options import pick, with_settings
from ganface.cli.shared import (
    AsJson,
    Best,
    Cache,
    Count,
    Step,
    choose_out,
    mention_best,
    refuse_missing,
)
from ganface.config.dataset import BuildConfig
from ganface.config.hardware import DeviceConfig
from ganface.config.settings import parse_integers
from ganface.errors import UserError
from ganface.io.console import as_text, show_result


@with_settings(BuildConfig, DeviceConfig)
def compare(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL... [DATA]",
            help="Run directories, checkpoints or snapshots, of any methods. If the last is a "
            "folder, .zip or pack of images, they are measured against these.",
        ),
    ],
    seeds: Annotated[str, typer.Option(help="The faces to set side by side.")] = "0-7",
    step: Step = None,
    best: Best = False,
    count: Count = None,
    out: Annotated[Path | None, typer.Option(help="A new folder; comparison if not given.")] = None,
    cache: Cache = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Set models side by side: faces and, with images, figures."""
    from ganface.evaluation.inputs import is_model
    from ganface.io.folders import cache_folder, names_of
    from ganface.io.run import find_model

    refuse_missing(*paths)
    models = paths if is_model(paths[-1]) else paths[:-1]
    data = None if models == paths else paths[-1]
    if not models:
        raise UserError(f"{data}: no model to measure; name some before it")
    for path in models:
        if not is_model(path):
            raise UserError(f"{path}: no model; images to measure against come last")
    files = [find_model(path, step, best) for path in models]
    for path, file in zip(models, files, strict=True):
        mention_best(path, [file])
    numbers = parse_integers("--seeds", seeds)
    out = choose_out(out, "comparison", folder=True)

    from ganface.evaluation.measure import evaluate
    from ganface.evaluation.report import draw_columns, figures_table
    from ganface.pictures.faces import save_comparison, save_reconstructions
    from ganface.pictures.png import save_png
    from ganface.system.device import choose_device

    device = choose_device(DeviceConfig(**pick([DeviceConfig], given)).device)
    named = dict(zip(names_of(models), files, strict=True))
    made_by = save_comparison(out / "faces.png", named, numbers, device)
    written, facts, lines = [str(out / "faces.png")], {"models": made_by}, []
    if data:
        outcome = evaluate(
            models[0],
            files,
            data,
            cache or cache_folder() or out / "cache",
            device,
            count=count,
            given=pick([BuildConfig], given),
            names=[*named],
        )
        written += [str(file) for file in outcome.save(out)]
        chart = draw_columns(outcome.columns, outcome.facts["floors"])
        save_png(out / "figures.png", chart, {"kind": "chart", "columns": [*named]})
        written.append(str(out / "figures.png"))
        if save_reconstructions(out / "images.png", named, outcome.reals, device):
            written.append(str(out / "images.png"))
        facts |= outcome.facts
        corner = f"{facts['count']:,} images"
        lines = [as_text(figures_table(corner, outcome.columns, outcome.facts["floors"])), ""]
    show_result({**facts, "files": written}, as_json, "\n".join([*lines, *written]))
