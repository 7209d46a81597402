"""`ganface sample`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganface.cli.names import free_paths, name_faces, name_orders, name_result
from ganface.cli.options import with_settings
from ganface.cli.shared import (
    AsJson,
    Best,
    DirectionsFile,
    LatentsFile,
    Model,
    Scale,
    Step,
    check_latents,
    choose_model,
    open_chosen,
    refuse_existing,
    require_png,
)
from ganface.cli.together import check_together
from ganface.config.hardware import DeviceConfig
from ganface.errors import UserError
from ganface.io.console import progress_bar, show_result

FIRST, FIRST_OF_EACH = "0-63", "0-7"  # the seeds that are drawn where none are named

# What does nothing alone, and with what it does
NEEDS = {"--move": ["--directions"], "--directions": ["--move"]}


@with_settings(DeviceConfig)
def sample(
    model: Model,
    seeds: Annotated[
        str | None, typer.Option(help=f"Which faces: one seed, one face. {FIRST} if not given.")
    ] = None,
    latents: LatentsFile = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
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
    titles: Annotated[
        bool, typer.Option("--titles", help="Name each face below it in the grid.")
    ] = False,
    scale: Scale = None,
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
        typer.Option(help="The PNG; with --images, a folder. NAME-step-…-seeds-… if not given."),
    ] = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Draw faces: one grid, or a file for each."""
    from ganface.latents.labels import parse_orders
    from ganface.models.header import read_architecture

    check_together({"--move": move, "--directions": directions}, {}, NEEDS)
    label = ",".join(labels) if labels else None
    if titles and as_images and not as_grid:
        raise UserError("--titles: faces by --images have none; add --grid for a picture of all")
    check_latents(seeds, latents)
    path = choose_model(model, step, best)
    config = read_architecture(path)
    orders = [] if label is None else parse_orders(label, config.labels or {})
    if titles and len(orders) > 1:
        raise UserError(f"--titles: of --label {label} rows and columns are named as it is")
    if latents is None:
        seeds = seeds or (FIRST if len(orders) < 2 else FIRST_OF_EACH)
    if as_grid or not as_images:
        named = f"--seeds {seeds}" if latents is None else f"--latents {latents}"
        check_sheet(config.size, check_latents(seeds, latents), len(orders), scale, titles, named)
    if out is None:
        asked = name_orders([*([label] if label else []), *(move or [])])
        named = name_result(model, path, name_faces(seeds, latents), *asked)
        (out,) = free_paths(named, "" if as_images else ".png")
    refuse_existing(out, folder=as_images)
    if not as_images:
        require_png(out, "a grid is a .png; for a folder of faces add --images")
    elif out.suffix.lower() == ".png":
        raise UserError(f"--out {out}: --images fill a folder; leave .png out")
    if frames is not None:
        from ganface.pictures.animation import check_animation

        refuse_existing(frames)
        check_animation(frames, "--frames")

    from ganface.latents.directions import move_along
    from ganface.latents.latents import choose_latents, ordered
    from ganface.pictures.faces import origin, save_ascent, save_faces, save_grid, save_rows

    G, meta = open_chosen(path, given)
    made_by = origin(meta)
    faces = choose_latents(seeds, latents, G, meta)
    if directions is not None:
        faces = move_along(faces, directions, move or [], G, meta)
    columns = [each.name for each in faces.titles]
    if orders:
        faces = ordered(faces, orders, G.config.labels or {})
    files: list[Path] = []
    if frames is not None:
        save_ascent(frames, G, faces, made_by, scale)
        files.append(frames)
    if as_images:
        with progress_bar("drawing faces") as track:
            files += save_faces(out, G, faces, made_by, track, scale)
    if as_grid or not as_images:
        files.append(out / "grid.png" if as_images else out)
        if len(orders) < 2:
            save_grid(files[-1], G, faces, made_by, scale, titles)
        else:
            rows = [order.name for order in orders]
            save_rows(files[-1], G, faces, rows, columns, made_by, scale)
    result = {"out": str(out), "files": [str(file) for file in files], **made_by}
    show_result(result, as_json, str(out) if frames is None else f"{frames}\n{out}")


def check_sheet(
    size: int, count: int, orders: int, scale: float | None, titles: bool, named: str
) -> None:
    """Raise UserError, which says as what the faces were `named`, if the picture of so many, for so
    many orders each, would be too large."""
    from ganface.pictures.face_size import choose_scale
    from ganface.pictures.grid import choose_captioned_scale, choose_grid_scale

    try:
        if orders > 1:
            choose_scale(size, count, orders, scale)
        else:
            choose = choose_captioned_scale if titles else choose_grid_scale
            choose(size, max(1, count), scale)
    except UserError as error:
        raise UserError(f"{named}: {error}, or add --images for a file each") from error
