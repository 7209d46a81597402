"""`ganface interpolate`."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ganface.cli.options import with_settings
from ganface.cli.shared import (
    AsJson,
    Best,
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
    dim_range: Annotated[str, typer.Option("--range", help="From, to, with --dims.")] = "-3,3",
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
    """Walk from face to face, or along single dimensions of z."""
    from ganface.io.folders import name_of

    path = choose_model(model, step, best)
    outs = choose_outs(out, f"{name_of(model)}-{'walk' if dims is None else 'dims'}")
    if dims is not None:
        entries, (low, high) = parse_integers("--dims", dims), parse_range(dim_range)
        if rows != 1 or mode != "slerp":
            raise UserError("--dims: does not go with --rows and --mode")
    if between is not None:
        if seeds is not None or latents is not None or dims is not None:
            raise UserError(f"--between {between}: does not go with --seeds, --latents and --dims")
        names = [name.strip() for name in between.split(",")]
        if not all(names):
            raise UserError(f"--between {between}: write names of images, such as a.png,b.png")
        images = [Path(name) for name in names]
        refuse_missing(*images)
    else:
        if latents is None:
            seeds = seeds or ("0" if dims is not None else f"0-{5 * rows - 1}")
        count = check_latents(seeds, latents)
        given_as = f"--seeds {seeds}" if latents is None else f"--latents {latents}"
        if dims is None:
            check_rows(given_as, rows, count)
        elif count != 1:
            raise UserError(f"{given_as}: --dims holds one face, so give one")

    from ganface.latents.latents import choose_latents
    from ganface.latents.paths import lerp, slerp, sweep, walks
    from ganface.models.generate import render_walks
    from ganface.pictures.faces import origin
    from ganface.pictures.walks import film_sweep, film_walks

    if between is None:
        G, meta = open_chosen(path, given)
        stops = choose_latents(seeds, latents, G, meta)
    else:
        check = partial(check_rows, f"--between {between}", rows)
        found, G, meta = project_chosen(model, path, images, given, check=check)
        stops = found.latents
    made_by = {**stops.meta, "frames": frames, **origin(meta)}
    if dims is not None:
        if max(entries) >= G.config.z_dim:
            raise UserError(
                f"--dims {dims}: z has {G.config.z_dim} entries, 0 to {G.config.z_dim - 1}"
            )
        faces = render_walks(G, sweep(stops.points[0], entries, low, high, frames))
        film = film_sweep(faces, entries, low, high)
        made_by |= {"kind": "dims", "dims": dims, "range": [low, high]}
    else:
        way = {"slerp": slerp, "lerp": lerp}[mode]
        film = film_walks(render_walks(G, walks(stops.points, rows, frames, way, loop)))
        made_by |= {"kind": "walk", "mode": mode, "loop": loop}
    for each in outs:
        film.save(each, fps, made_by)
    result = {"out": [str(each) for each in outs], **made_by}
    show_result(result, as_json, "\n".join(map(str, outs)))


def check_rows(given_as: str, rows: int, count: int) -> None:
    """Raise UserError unless so many faces can be shared out to so many walks."""
    if count % rows or count < 2 * rows:
        raise UserError(
            f"{given_as}: each walk of --rows {rows} needs the same number of faces, two or more"
        )


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
