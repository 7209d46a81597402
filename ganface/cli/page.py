"""`ganface page`."""

from pathlib import Path
from typing import Annotated

import typer

from ganface.cli.shared import (
    AsJson,
    Best,
    DirectionsFile,
    Model,
    Step,
    choose_model,
    choose_out,
)
from ganface.io.console import show_result


def page(
    model: Model,
    out: Annotated[
        Path | None, typer.Argument(metavar="[OUT]", help="A new folder. NAME-page if not given.")
    ] = None,
    directions: DirectionsFile = None,
    name: Annotated[
        str | None, typer.Option(help="What the page calls the model; its folder if not given.")
    ] = None,
    step: Step = None,
    best: Best = False,
    as_json: AsJson = False,
) -> None:
    """Make a page that draws faces in any browser, offline.

    Open OUT/index.html by a double click, or put the folder on any web server.
    """
    from ganface.io.folders import name_of

    path = choose_model(model, step, best)
    called = name or name_of(model)
    out = choose_out(out, f"{name_of(model)}-page", folder=True)

    from ganface.latents.directions import read_directions
    from ganface.models.snapshot import load_generator
    from ganface.page.build import build_page
    from ganface.pictures.faces import origin

    G, meta = load_generator(path)
    found = read_directions(directions, G, meta)[0] if directions else None
    build_page(out, G, called, origin(meta), found)
    page = out / "index.html"
    show_result({"page": str(page), **origin(meta)}, as_json, str(page))
