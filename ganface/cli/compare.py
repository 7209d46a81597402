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
    Scale,
    Step,
    choose_out,
    mention_best,
    refuse_missing,
)
from ganface.cli.together import check_together
from ganface.config.dataset import BuildConfig
from ganface.config.hardware import DeviceConfig
from ganface.config.settings import flag_of, parse_integers
from ganface.errors import UserError
from ganface.io.console import as_text, show_result

SEARCH = "Search"  # the group of these options in --help

# What is of models that are there does not go with --search, which trains its own
APART = {"--search": ["--seeds", "--step", "--best", "--count", "--scale"]}
NEEDS = {flag: ["--search"] for flag in ("--budget", "--jobs", "--seed", "--resume")}


@with_settings(BuildConfig, DeviceConfig)
def compare(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL... [DATA]",
            help="Run directories, checkpoints or snapshots, of any methods. If the last is a "
            "folder, .zip or pack of images, they are measured against these. With --search DATA "
            "alone.",
        ),
    ],
    seeds: Annotated[
        str | None, typer.Option(help="The faces to set side by side; 0-7 if not given.")
    ] = None,
    step: Step = None,
    best: Best = False,
    count: Count = None,
    scale: Scale = None,
    search: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            metavar="N",
            help="Train kinds of GAN and a VAE on DATA, each with N settings drawn by chance and "
            "with its defaults, and set side by side how good they get; at 32 pixels if DATA is no "
            "pack and --size not given.",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            min=1, help="Updates of each training; 1,000 if not given.", rich_help_panel=SEARCH
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Trainings at a time; 1 if not given.", rich_help_panel=SEARCH),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**63 - 1,
            help="Seeds the draws and the trainings; 0 if not given.",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a search.", rich_help_panel=SEARCH)
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="A new folder; comparison, or search, if not given.")
    ] = None,
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
    for_models = {"seeds": seeds, "step": step, "best": best, "count": count, "scale": scale}
    for_search = {"budget": budget, "jobs": jobs, "seed": seed}
    options = {"search": search, "resume": resume, **for_models, **for_search}
    check_together({flag_of(name): value for name, value in options.items()}, APART, NEEDS)
    if search is not None:
        if len(paths) > 1 or is_model(paths[0]):
            raise UserError("--search: trains models of its own; give images alone")
        _search(paths[0], search, out, resume, cache, given, as_json, for_search)
        return
    models = paths if is_model(paths[-1]) else paths[:-1]
    data = None if models == paths else paths[-1]
    if not models:
        raise UserError(f"{data}: no model to measure; name some before it")
    for path in models:
        if not is_model(path):
            raise UserError(f"{path}: no model; images to measure against come last")
    measuring = {"count": count, "cache": cache, **pick([BuildConfig], given)}
    of_images = {flag_of(name): value for name, value in measuring.items()}
    check_together({**of_images, "DATA": data}, {}, {flag: ["DATA"] for flag in of_images})
    files = [find_model(path, step, best) for path in models]
    for path, file in zip(models, files, strict=True):
        mention_best(path, [file])
    numbers = parse_integers("--seeds", "0-7" if seeds is None else seeds)
    out = choose_out(out, "comparison", folder=True)

    from ganface.evaluation.measure import evaluate
    from ganface.evaluation.report import draw_columns, figures_table
    from ganface.pictures.faces import save_comparison, save_reconstructions
    from ganface.pictures.png import save_png
    from ganface.system.device import choose_device

    device = choose_device(DeviceConfig(**pick([DeviceConfig], given)).device)
    named = dict(zip(names_of(models), files, strict=True))
    made_by = save_comparison(out / "faces.png", named, numbers, device, scale)
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
        if save_reconstructions(out / "images.png", named, outcome.reals, device, scale):
            written.append(str(out / "images.png"))
        facts |= outcome.facts
        corner = f"{facts['count']:,} images"
        lines = [as_text(figures_table(corner, outcome.columns, outcome.facts["floors"])), ""]
    show_result({**facts, "files": written}, as_json, "\n".join([*lines, *written]))


def _search(
    data: Path,
    draws: int,
    out: Path | None,
    resume: bool,
    cache: Path | None,
    given: dict[str, Any],
    as_json: bool,
    options: dict[str, int | None],
) -> None:
    """What `compare --search` does; `options`: those of `search` by name, None if not given."""
    from ganface.io.folders import cache_folder
    from ganface.io.run import LOCK

    begun = out or Path("search")
    there = {path.name for path in begun.iterdir()} if begun.is_dir() else set()
    if not (resume and ("search.json" in there or there <= {LOCK, "cache"})):
        begun = choose_out(out, "search", folder=True)

    from ganface.search.report import summary_table
    from ganface.search.search import search
    from ganface.system.device import choose_device

    found = search(
        data,
        begun,
        draws,
        cache or cache_folder() or begun / "cache",
        choose_device(DeviceConfig(**pick([DeviceConfig], given)).device),
        given=pick([BuildConfig], given),
        **{name: value for name, value in options.items() if value is not None},
    )
    files = [str(begun / "search.json"), str(begun / "search.png")]
    reals = (
        f"Reals come to {found['floors']['frechet']:.2f}, of {found['count']:,} images each time."
    )
    lines = [as_text(summary_table(found["summary"])), "", reals, "", *files]
    show_result({**found, "files": files}, as_json, "\n".join(lines))
