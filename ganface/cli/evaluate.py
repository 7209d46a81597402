"""`ganface evaluate`."""

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
from ganface.errors import UserError
from ganface.io.console import as_text, show_result


@with_settings(BuildConfig, DeviceConfig)
def evaluate(
    images: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A run directory, a checkpoint or a snapshot; or images that something else made: "
            "a folder, a .zip or a pack.",
        ),
    ],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder, a .zip or a pack.")],
    count: Count = None,
    step: Step = None,
    best: Best = False,
    all_steps: Annotated[
        bool, typer.Option("--all-steps", help="Measure every milestone of a run.")
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where Inception's weights are, for FID and the like."),
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Download these weights, 90 MB, if need be.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="A new folder; NAME-evaluation if not given.")
    ] = None,
    cache: Cache = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Say how good the faces are, beside real ones."""
    from ganface.evaluation.inputs import is_model
    from ganface.io.folders import cache_folder, name_of
    from ganface.io.run import find_models

    refuse_missing(images, data)
    models = find_models(images, step, best, all_steps) if is_model(images) else []
    mention_best(images, models)
    if not models and (step is not None or best or all_steps):
        raise UserError(f"{images}: images have no steps; leave --step, --best, --all-steps out")
    out = choose_out(out, f"{name_of(images)}-evaluation", folder=True)

    from ganface.evaluation.measure import evaluate
    from ganface.evaluation.report import figures_table, steps_table
    from ganface.system.device import choose_device

    outcome = evaluate(
        images,
        models,
        data,
        cache or cache_folder() or out / "cache",
        choose_device(DeviceConfig(**pick([DeviceConfig], given)).device),
        count=count,
        given=pick([BuildConfig], given),
        weights=weights,
        download=download,
    )
    files = [str(file) for file in outcome.save(out, chart=all_steps)]
    corner = f"{outcome.facts['count']:,} images"
    found = corner, outcome.columns, outcome.facts["floors"]
    table = steps_table(*found) if all_steps else as_text(figures_table(*found))
    show_result({**outcome.facts, "files": files}, as_json, "\n".join([table, "", *files]))
