"""`ganface sample`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganface.cli.options import with_settings
from ganface.cli.shared import (
    AsJson,
    Best,
    DirectionsFile,
    LatentsFile,
    Model,
    Step,
    check_latents,
    choose_model,
    choose_out,
    open_chosen,
    refuse_existing,
    require_png,
)
from ganface.config.hardware import DeviceConfig
from ganface.errors import UserError
from ganface.io.console import progress_bar, show_result

FIRST, FIRST_OF_EACH = "0-63", "0-7"  # the seeds that are drawn where none are named


@with_settings(DeviceConfig)
def sample(
    model: Model,
    seeds: Annotated[
        str | None, typer.Option(help=f"Which faces: one seed, one face. {FIRST} if not given.")
    ] = None,
    latents: LatentsFile = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=VALUE,…",
            help="What faces show, as hair=aqua; hair=* for a row of each. info lists them.",
        ),
    ] = None,
    directions: DirectionsFile = None,
    move: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FAR",
            help="Move each face along one of --directions, in units of z, as hair-brightness=2. "
            "May be given several times.",
        ),
    ] = None,
    as_grid: Annotated[
        bool, typer.Option("--grid", help="One picture of all, the default.")
    ] = False,
    as_images: Annotated[bool, typer.Option("--images", help="A file for each face.")] = False,
    frames: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Of a discriminator alone: an animation as well, from noise to faces.",
        ),
    ] = None,
    step: Step = None,
    best: Best = False,
    out: Annotated[
        Path | None,
        typer.Option(help="The PNG; with --images, a folder. NAME-faces if not given."),
    ] = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Draw faces: one grid, or a file for each."""
    from ganface.io.folders import name_of

    check_latents(seeds, latents)
    if (directions is None) != (not move):
        raise UserError("--directions and --move go together: a file, and what to take from it")
    path = choose_model(model, step, best)
    out = choose_out(out, f"{name_of(model)}-faces" + ("" if as_images else ".png"), as_images)
    if not as_images:
        require_png(out, "a grid is a .png; for a folder of faces add --images")
    if frames is not None:
        from ganface.pictures.animation import check_animation

        refuse_existing(frames)
        check_animation(frames, "--frames")

    from ganface.latents.directions import move_along
    from ganface.latents.labels import parse_orders
    from ganface.latents.latents import choose_latents, ordered
    from ganface.pictures.faces import origin, save_ascent, save_faces, save_grid, save_rows

    G, meta = open_chosen(path, given)
    made_by, attributes = origin(meta), G.config.labels or {}
    orders = [] if label is None else parse_orders(label, attributes)
    first = FIRST if len(orders) < 2 else FIRST_OF_EACH
    faces = choose_latents(seeds or first, latents, G, meta)
    if directions is not None:
        faces = move_along(faces, directions, move or [], G.config.z_dim, meta)
    columns = [each.name for each in faces.titles]
    if orders:
        faces = ordered(faces, orders, attributes)
    files: list[Path] = []
    if frames is not None:
        save_ascent(frames, G, faces)
        files.append(frames)
    if as_images:
        with progress_bar("drawing faces") as track:
            files += save_faces(out, G, faces, made_by, track)
    if as_grid or not as_images:
        files.append(out / "grid.png" if as_images else out)
        if len(orders) < 2:
            save_grid(files[-1], G, faces, made_by)
        else:
            rows = [order.name for order in orders]
            save_rows(files[-1], G, faces, rows, columns, made_by)
    result = {"out": str(out), "files": [str(file) for file in files], **made_by}
    show_result(result, as_json, str(out) if frames is None else f"{frames}\n{out}")
