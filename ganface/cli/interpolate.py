"""`ganface interpolate`."""

from pathlib import Path
from typing import Annotated, Any, Literal

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
    project_chosen,
    refuse_missing,
)
from ganface.config.hardware import DeviceConfig
from ganface.config.settings import parse_integers
from ganface.errors import UserError
from ganface.io.console import show_result


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
        Literal["slerp", "lerp"], typer.Option(help="Along the sphere, or straight.")
    ] = "slerp",
    frames: Annotated[int, typer.Option(min=2, max=10_000, help="Frames per leg.")] = 24,
    fps: Annotated[int, typer.Option(min=1, max=50, help="Frames per second.")] = 20,
    loop: Annotated[bool, typer.Option("--loop", help="Walk back to the first face.")] = False,
    rows: Annotated[int, typer.Option(min=1, help="So many walks; the seeds are shared out.")] = 1,
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
        str, typer.Option("--range", help="From, to, with --dims or --directions.")
    ] = "-3,3",
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE,…",
            help="What faces are to show, as hair=aqua. Given several times: each face walks from "
            "one to the next.",
        ),
    ] = None,
    step: Step = None,
    best: Best = False,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            help=".gif, .webp or .mp4: moving; .png: a strip; else a folder of frames. "
            "May be given several times; NAME-walk.gif and .png if not."
        ),
    ] = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Walk from face to face, or along directions in latent space."""
    from ganface.io.folders import name_of

    path = choose_model(model, step, best)
    if dims is not None and directions is not None:
        raise UserError("--dims and --directions: leave one out")
    if picked is not None and directions is None:
        raise UserError(f"--pick {picked}: needs --directions, the file to pick from")
    along = "dims" if dims is not None else "directions" if directions is not None else None
    between_labels = len(label or []) > 1
    outs = choose_outs(out, f"{name_of(model)}-{along or 'walk'}")
    low, high = parse_range(ends)
    entries = () if dims is None else parse_integers("--dims", dims)
    if along and (rows != 1 or mode != "slerp"):
        raise UserError(f"--{along}: does not go with --rows and --mode")
    if between_labels and (along or rows != 1):
        raise UserError("--label twice: does not go with --dims, --directions and --rows")
    if between is not None and (seeds is not None or latents is not None or along):
        raise UserError(
            f"--between {between}: does not go with --seeds, --latents, --dims and --directions"
        )
    names = [name.strip() for name in between.split(",")] if between is not None else []
    if not all(names):
        raise UserError(f"--between {between}: write names of images, such as a.png,b.png")
    images = [Path(name) for name in names]
    refuse_missing(*images)
    if latents is None and between is None:
        walked = "0-4" if between_labels else f"0-{5 * rows - 1}"
        seeds = seeds or ("0" if along else walked)

    def check_count(count: int) -> None:
        """Raise UserError unless so many faces are what is to be walked through."""
        named = {"--between": between, "--latents": latents, "--seeds": seeds}
        given_as = next(f"{flag} {value}" for flag, value in named.items() if value is not None)
        if along and count != 1:
            raise UserError(f"{given_as}: --{along} holds one face, so give one")
        if not (along or between_labels) and (count % rows or count < 2 * rows):
            raise UserError(
                f"{given_as}: each walk of --rows {rows} needs the same number of faces, two or "
                "more"
            )

    if between is None:
        check_count(check_latents(seeds, latents))

    from ganface.latents.directions import read_directions
    from ganface.latents.labels import parse_order
    from ganface.latents.latents import choose_latents, in_turn, without_labels
    from ganface.latents.paths import axes, lerp, slerp, sweep, walks, with_straight_labels
    from ganface.models.generate import render_walks
    from ganface.pictures.faces import origin
    from ganface.pictures.walks import entry_names, film_sweep, film_walks

    if between is None:
        G, meta = open_chosen(path, given)
        stops = choose_latents(seeds, latents, G, meta)
        points = stops.points
    else:
        projected, G, meta = project_chosen(model, path, images, given, check=check_count)
        stops = projected.latents
        points = without_labels(stops.points, G)
    made_by = {**stops.meta, "frames": frames, **origin(meta)}
    if label:
        attributes = G.config.labels or {}
        orders = [parse_order(each, attributes) for each in label]
        points, made_by["label"] = in_turn(points, orders, attributes), label
    if along:
        if directions is not None:
            found, digest = read_directions(directions, G.config.z_dim, meta)
            found = found if picked is None else found.pick("--pick", picked)
            names, vectors = found.names, found.vectors
            made_by |= {"directions": digest, "names": names}
        else:
            if max(entries) >= G.config.z_dim:
                raise UserError(
                    f"--dims {dims}: z has {G.config.z_dim} entries, 0 to {G.config.z_dim - 1}"
                )
            names, vectors = entry_names(entries), axes(entries, G.config.z_dim)
            made_by |= {"dims": dims}
        faces = render_walks(G, sweep(points[0], vectors, low, high, frames))
        film = film_sweep(faces, names, low, high)
        made_by |= {"kind": along, "range": [low, high]}
    else:
        way = with_straight_labels({"slerp": slerp, "lerp": lerp}[mode], G.config.z_dim)
        rows = len(stops) if between_labels else rows
        film = film_walks(render_walks(G, walks(points, rows, frames, way, loop)))
        made_by |= {"kind": "walk", "mode": mode, "loop": loop}
    for each in outs:
        film.save(each, fps, made_by)
    result = {"out": [str(each) for each in outs], **made_by}
    show_result(result, as_json, "\n".join(map(str, outs)))


def choose_outs(given: list[Path] | None, stem: str) -> list[Path]:
    """The given paths; if none were given, a GIF and a strip.

    Raises UserError for a path that is taken, or whose suffix names nothing that can be written.
    """
    if not given:
        return [choose_out(None, stem + suffix) for suffix in (".gif", ".png")]
    outs = [choose_out(path, "", folder=not path.suffix) for path in given]
    moving = [path for path in outs if path.suffix.lower() not in ("", ".png")]
    if moving:
        from ganface.pictures.animation import check_animation

        for path in moving:
            check_animation(path)
    return outs


def parse_range(text: str) -> tuple[float, float]:
    """Read "-3,3" as (-3.0, 3.0). Raises UserError unless it is two rising numbers."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"--range {text}: write two numbers, such as -3,3") from None
    if not -1000 <= low < high <= 1000:
        raise UserError(f"--range {text}: must rise, within -1000 and 1000")
    return low, high
