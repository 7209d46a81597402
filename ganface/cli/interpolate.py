"""`ganface interpolate`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
    project_chosen,
    refuse_existing,
    refuse_missing,
)
from ganface.cli.together import check_together
from ganface.config.hardware import DeviceConfig
from ganface.config.settings import parse_integers
from ganface.errors import UserError
from ganface.io.console import show_result

if TYPE_CHECKING:
    from torch import Tensor

    from ganface.latents.latents import Latents
    from ganface.models.dcgan import DcganNetwork
    from ganface.pictures.walks import Film

MODE, FPS, RANGE = "slerp", 20, "-3,3"

# What does not go with what: a walk leads through faces, --dims and --directions around one
APART = {
    "--dims": ["--directions", "--rows", "--mode", "--loop"],
    "--directions": ["--rows", "--mode", "--loop"],
    "--between": ["--seeds", "--latents", "--dims", "--directions"],
    "--label twice": ["--dims", "--directions", "--rows"],
}
NEEDS = {"--pick": ["--directions"], "--range": ["--dims", "--directions"]}


@with_settings(DeviceConfig)
def interpolate(
    model: Model,
    seeds: Annotated[str | None, typer.Option(help="Faces to walk through.")] = None,
    latents: LatentsFile = None,
    between: Annotated[
        str | None,
        typer.Option(
            metavar="A.png,B.png", help="In place of seeds: real faces, found in latent space."
        ),
    ] = None,
    mode: Annotated[
        Literal["slerp", "lerp"] | None,
        typer.Option(help="Along the sphere, or straight. slerp if not given."),
    ] = None,
    frames: Annotated[int, typer.Option(min=2, max=10_000, help="Frames per leg.")] = 24,
    fps: Annotated[
        int | None,
        typer.Option(min=1, max=50, help=f"Frames per second, where it moves. {FPS} if not given."),
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Walk back to the first face.")] = False,
    rows: Annotated[
        int | None,
        typer.Option(min=1, help="So many walks; the seeds are shared out. 1 if not given."),
    ] = None,
    dims: Annotated[
        str | None, typer.Option(help="Instead of a walk: a row for each of these entries of z.")
    ] = None,
    directions: DirectionsFile = None,
    picked: Annotated[
        str | None,
        typer.Option(
            "--pick", help="A row for each of these --directions, as 0-3,hair-brightness; else all."
        ),
    ] = None,
    ends: Annotated[
        str | None,
        typer.Option(
            "--range",
            help="From, to: what an entry of --dims is set to, or how far along --directions the "
            f"face is moved. {RANGE} if not given.",
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE,…",
            help="What faces are to show, as hair=aqua. Given several times: each face walks from "
            "one to the next.",
        ),
    ] = None,
    scale: Scale = None,
    step: Step = None,
    best: Best = False,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            help=".gif, .webp or .mp4: moving; .png: a strip; else a folder of frames. "
            "May be given several times; NAME-step-…-walk-seeds-….gif and .png if not."
        ),
    ] = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Walk from face to face, or along directions in latent space."""
    from ganface.models.header import read_architecture
    from ganface.pictures.face_size import choose_scale
    from ganface.pictures.grid import STRIP_COLUMNS

    between_labels = len(label or []) > 1
    check_together(
        {
            "--dims": dims,
            "--directions": directions,
            "--between": between,
            "--label twice": between_labels,
            "--rows": rows,
            "--mode": mode,
            "--loop": loop,
            "--seeds": seeds,
            "--latents": latents,
            "--pick": picked,
            "--range": ends,
        },
        APART,
        NEEDS,
    )
    path = choose_model(model, step, best)
    along = "dims" if dims is not None else "directions" if directions is not None else None
    low, high = parse_range(ends or RANGE)
    entries = () if dims is None else parse_integers("--dims", dims)
    z_dim = read_architecture(path).z_dim
    if entries and max(entries) >= z_dim:
        raise UserError(f"--dims {dims}: z has {z_dim} entries, 0 to {z_dim - 1}")
    images = [] if between is None else parse_images(between)
    if latents is None and between is None:
        walked = "0-4" if between_labels else f"0-{5 * (rows or 1) - 1}"
        seeds = seeds or ("0" if along else walked)

    def check_count(count: int) -> None:
        """Raise UserError unless so many faces are what is to be walked through."""
        named = {"--between": between, "--latents": latents, "--seeds": seeds}
        given_as = next(f"{flag} {value}" for flag, value in named.items() if value is not None)
        if along and count != 1:
            raise UserError(f"{given_as}: --{along} holds one face, so give one")
        if not along and not between_labels and (count % (rows or 1) or count < 2 * (rows or 1)):
            each = f"each walk of --rows {rows} needs the same number of faces, two or more"
            raise UserError(f"{given_as}: {each if rows else 'a walk needs two faces or more'}")
        strips = len(entries) if along else count if between_labels else rows or 1
        choose_scale(read_architecture(path).size, STRIP_COLUMNS, max(1, strips), scale)

    if between is None:
        check_count(check_latents(seeds, latents))
    what = "walk" if along is None else f"dims-{dims}" if along == "dims" else along
    faces = "between" if between is not None else name_faces(seeds, latents)
    outs = choose_outs(out, name_result(model, path, what, faces, *name_orders(label or [])), fps)

    from ganface.latents.labels import parse_order
    from ganface.latents.latents import choose_latents, in_turn
    from ganface.models.generate import render_walks
    from ganface.pictures.faces import origin
    from ganface.pictures.walks import film_sweep

    if between is None:
        G, meta = open_chosen(path, given)
        stops = choose_latents(seeds, latents, G, meta)
    else:
        projected, G, meta = project_chosen(model, path, images, given, check=check_count)
        stops = projected.latents
    made_by = {**stops.meta, "frames": frames, **origin(meta)}
    attributes = G.config.labels or {}
    orders = [parse_order(each, attributes) for each in label or []]
    if orders:
        stops = replace(stops, points=in_turn(stops.points, orders, attributes))
        made_by["label"] = label
    if along:
        names, ways, said = choose_ways(
            G, meta, stops.points[0], dims, directions, picked, (low, high, frames)
        )
        film = film_sweep(render_walks(G, ways), names, low, high, scale)
        made_by |= {"kind": along, "range": [low, high], **said}
    else:
        order_names = [order.name for order in orders]
        film = film_through(G, stops, order_names, rows or 1, mode, frames, loop, scale)
        made_by |= {"kind": "walk", "mode": mode or MODE, "loop": loop}
    for each in outs:
        film.save(each, fps or FPS, made_by)
    result = {"out": [str(each) for each in outs], **made_by}
    show_result(result, as_json, "\n".join(map(str, outs)))


def choose_ways(
    G: "DcganNetwork",
    meta: dict[str, Any],
    z: "Tensor",
    dims: str | None,
    file: Path | None,
    picked: str | None,
    ends: tuple[float, float, int],
) -> "tuple[Sequence[str], Tensor, dict[str, Any]]":
    """Names and walks [K, F, …] of what --dims or --directions and --pick ask for, and what the
    metadata say of them. ends: from, to, in so many steps.

    Raises UserError for what G or the file has not.
    """
    from ganface.latents.directions import read_directions
    from ganface.latents.paths import sweep, sweep_along
    from ganface.pictures.walks import entry_names

    if file is not None:
        found, digest = read_directions(file, G, meta)
        found = found if picked is None else found.pick("--pick", picked)
        said = {"directions": digest, "names": found.names}
        return found.names, sweep_along(z, found.vectors, *ends), said
    entries = parse_integers("--dims", dims or "")
    return entry_names(entries), sweep(z, entries, *ends), {"dims": dims}


def film_through(
    G: "DcganNetwork",
    stops: "Latents",
    orders: Sequence[str],
    rows: int,
    mode: str | None,
    frames: int,
    loop: bool,
    scale: float | None,
) -> "Film":
    """So many rows of walks through the stops; or, of several orders, for each face a walk through
    its points, one for each order."""
    from ganface.latents.paths import lerp, slerp, walks, with_straight_labels
    from ganface.models.generate import render_walks
    from ganface.pictures.faces import short_names
    from ganface.pictures.walks import Names, film_walks, name_walks

    titles = short_names(stops)
    if len(orders) > 1:
        names = Names(titles, orders)
    else:
        each = len(titles) // rows
        names = name_walks([titles[row * each : (row + 1) * each] for row in range(rows)])
    way = with_straight_labels({"slerp": slerp, "lerp": lerp}[mode or MODE], G.config.z_dim)
    faces = render_walks(G, walks(stops.points, len(names.rows), frames, way, loop))
    return film_walks(faces, frames, names, scale)


def choose_outs(given: list[Path] | None, stem: str, fps: int | None) -> list[Path]:
    """The given paths; if none were given, a GIF and a strip.

    Raises UserError for a path that is taken, or whose suffix names nothing that can be written;
    and for --fps where nothing moves.
    """
    if not given:
        return free_paths(stem, ".gif", ".png")
    for path in given:
        refuse_existing(path, folder=not path.suffix)
    moving = [path for path in given if path.suffix.lower() not in ("", ".png")]
    if fps is not None and not moving:
        raise UserError(f"--fps {fps}: does nothing without a .gif, .webp or .mp4")
    if moving:
        from ganface.pictures.animation import check_animation

        for path in moving:
            check_animation(path, others=[".png"])
    return given


def parse_images(between: str) -> list[Path]:
    """Read "a.png,b.png". Raises UserError unless these are files or folders that are there."""
    names = [name.strip() for name in between.split(",")]
    if not all(names):
        raise UserError(f"--between {between}: write names of images, such as a.png,b.png")
    images = [Path(name) for name in names]
    refuse_missing(*images)
    return images


def parse_range(text: str) -> tuple[float, float]:
    """Read "-3,3" as (-3.0, 3.0). Raises UserError unless it is two rising numbers."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"--range {text}: write two numbers, such as -3,3") from None
    if not -1000 <= low < high <= 1000:
        raise UserError(f"--range {text}: must rise, within -1000 and 1000")
    return low, high
