"""From a model file to pictures of the faces that it draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ganface.dataset.normalise import normalise
from ganface.dataset.order import held_out
from ganface.dataset.pack import Pack
from ganface.errors import UserError
from ganface.io.console import Track, untracked
from ganface.latents.latents import Latents
from ganface.models.ascent import Ascent
from ganface.models.dcgan import DcganNetwork
from ganface.models.generate import BATCH, generate, latents_of, use_compiled_kernels
from ganface.models.snapshot import holds, load_generator, load_network
from ganface.pictures.animation import save_animation
from ganface.pictures.face_size import FILM, choose_scale, describe_scale, enlarge
from ganface.pictures.grid import (
    captioned,
    choose_captioned_scale,
    choose_grid_scale,
    drawable,
    grid,
    shorten,
    square_columns,
    table,
    to_pil,
    to_uint8,
)
from ganface.pictures.png import save_png
from ganface.system.parallel import map_in_threads

STEP_SHOWN, ASCENT_STAYS = 200, 3000  # milliseconds
RECONSTRUCTED = 8  # images in a table of what models make of them


def open_generator(path: Path, device: torch.device) -> tuple[DcganNetwork, dict[str, Any]]:
    """The generator of a snapshot or checkpoint, ready to draw on `device`, and the metadata.

    Raises UserError if the file is damaged or holds something else.
    """
    G, meta = load_generator(path)
    return G.to(device).to(memory_format=torch.channels_last), meta


def origin(meta: dict[str, Any]) -> dict[str, Any]:
    """What a picture's metadata says of the model that made it."""
    return {"step": meta["step"], "snapshot": meta["sha256"]}


def short_names(latents: Latents) -> list[str]:
    """What each point is called beside its picture, where room is scarce."""
    names = [(title.meta.get("name"), title.meta.get("seeds")) for title in latents.titles]
    return [
        f"seed {seed}" if name is None else shorten(name, f"latent {index}")
        for index, (name, seed) in enumerate(names)
    ]


def save_faces(
    folder: Path,
    G: DcganNetwork,
    latents: Latents,
    made_by: dict[str, Any],
    track: Track = untracked,
    asked: float | None = None,
) -> list[Path]:
    """Write a PNG for each of the latents, of equal seeds once; return their paths.

    made_by: what the metadata of each says beside its seed or name; asked: see
    `face_size.choose_scale`. Raises CannotWriteError.
    """
    once = latents.once()
    scale = choose_scale(G.config.size, asked=asked, pictures=len(once))
    said = {"kind": "face", **made_by, **describe_scale(scale)}

    def draw(part: Latents) -> list[Path]:
        paths = [folder / f"{title.stem}.png" for title in part.titles]
        faces = generate(G, part.points)
        for title, path, face in zip(part.titles, paths, faces, strict=True):
            save_png(path, enlarge(to_pil(face), scale), {**said, **title.meta}, durable=False)
        return paths

    use_compiled_kernels(G, len(once))
    parts = [once[range(len(once))[at : at + BATCH]] for at in range(0, len(once), BATCH)]
    return [path for paths in track(map_in_threads(draw, parts), len(parts)) for path in paths]


def save_grid(
    path: Path,
    G: DcganNetwork,
    latents: Latents,
    made_by: dict[str, Any],
    asked: float | None = None,
    titles: bool = False,
) -> None:
    """Write the faces of the latents as one PNG, near to a square.

    made_by: what its metadata says beside the seeds; titles: name each below its face; asked: see
    `face_size.choose_scale`, which raises UserError for too many faces. Raises CannotWriteError.
    """
    choose = choose_captioned_scale if titles else choose_grid_scale
    scale = choose(G.config.size, len(latents), asked)
    faces, columns = generate(G, latents.points), square_columns(len(latents))
    meta = {"kind": "grid", **latents.meta, **made_by, **describe_scale(scale)}
    sheet = (
        captioned(faces, short_names(latents), columns, scale)
        if titles
        else grid(faces, columns, scale)
    )
    save_png(path, sheet, meta)


def save_rows(
    path: Path,
    G: DcganNetwork,
    latents: Latents,
    rows: Sequence[str],
    columns: Sequence[str],
    made_by: dict[str, Any],
    asked: float | None = None,
) -> None:
    """Write the faces of the latents, row by row, as one PNG with a name for each row and column.
    Else as `save_grid`."""
    scale = choose_scale(G.config.size, len(columns), len(rows), asked)
    cells = [to_pil(face) for face in generate(G, latents.points)]
    parts = [cells[i * len(columns) : (i + 1) * len(columns)] for i in range(len(rows))]
    meta = {"kind": "rows", **latents.meta, **made_by, **describe_scale(scale)}
    save_png(path, table(parts, drawable(rows), drawable(columns), scale), meta)


def save_ascent(
    path: Path,
    G: DcganNetwork,
    latents: Latents,
    made_by: dict[str, Any],
    asked: float | None = None,
) -> None:
    """Write an animation: the grid of these latents' images as they are after each step from noise
    to faces, if G is a discriminator that climbs. made_by, asked: as of `save_grid`.

    Raises UserError if it is not, or for a suffix that `save_animation` refuses; CannotWriteError.
    """
    if not isinstance(G, Ascent):
        raise UserError(
            "--frames: this model draws in one step; it is for those of --method energy"
        )
    z = latents.points.to(next(G.parameters()).device)
    shown = 1 + int(G.steps.ceil())  # without those that move nothing
    scale = choose_grid_scale(G.config.size, len(latents), asked, FILM, shown)
    parts = [[to_uint8(step).cpu() for step in G.ascent(part)][:shown] for part in z.split(BATCH)]
    columns = square_columns(len(latents))
    frames = [grid(torch.cat(step), columns, scale) for step in zip(*parts, strict=True)]
    times = [STEP_SHOWN] * (len(frames) - 1) + [ASCENT_STAYS]
    meta = {"kind": "ascent", **latents.meta, **made_by, **describe_scale(scale)}
    save_animation(path, frames, times, meta)


def save_comparison(
    path: Path,
    models: dict[str, Path],
    seeds: Sequence[int],
    device: torch.device,
    asked: float | None = None,
) -> dict[str, dict[str, Any]]:
    """Write a table of faces as one PNG, a row for each seed and a column for each model, by name.
    asked: see `face_size.choose_scale`.

    Returns the origin of each column. Raises UserError for models whose faces differ in size;
    CannotWriteError.
    """
    columns, made_by = [], {}
    for name, model in models.items():
        G, meta = open_generator(model, device)
        columns.append([to_pil(face) for face in generate(G, latents_of(G, seeds))])
        made_by[name] = origin(meta)
        if columns[-1][0].size != columns[0][0].size:
            sizes = columns[0][0].width, columns[-1][0].width
            raise UserError(f"{model}: draws faces of {sizes[1]} pixels, the first of {sizes[0]}")
    rows = [*zip(*columns, strict=True)]
    scale = choose_scale(columns[0][0].width, len(models), len(seeds), asked)
    sheet = table(rows, [f"seed {seed}" for seed in seeds], drawable([*models]), scale)
    meta = {"kind": "comparison", "seeds": [*seeds], "columns": [*models], "models": made_by}
    save_png(path, sheet, {**meta, **describe_scale(scale)})
    return made_by


def save_reconstructions(
    path: Path,
    models: dict[str, Path],
    reals: Pack,
    device: torch.device,
    asked: float | None = None,
) -> bool:
    """Write a table of images that no training on `reals` learns from, as one PNG: a row for each,
    beside it what each of the models that have an encoder makes of it. asked: see
    `face_size.choose_scale`.

    Returns whether any has one. Raises UserError for damaged models; CannotWriteError.
    """
    encoding = {name: model for name, model in models.items() if holds(model, "E")}
    if not encoding:
        return False
    indices = [*(held_out(len(reals)) or range(len(reals)))][:RECONSTRUCTED]
    images = reals.batch(indices)
    columns, made_by = [[to_pil(image) for image in images]], {}
    given = normalise(images, torch.zeros(len(images), dtype=torch.bool)).to(device)
    for name, model in encoding.items():
        (E, meta), (G, _) = (load_network(model, role) for role in ("E", "G"))
        made_by[name] = origin(meta)
        with torch.inference_mode():
            again = to_uint8(G.to(device)(E.to(device)(given))).cpu()
        columns.append([to_pil(image) for image in again])
    names = ["image", *encoding]
    shown = ["image", *drawable([*encoding])]
    scale = choose_scale(images.shape[-1], len(names), len(indices), asked)
    row_names = [f"image {index}" for index in indices]
    sheet = table([*zip(*columns, strict=True)], row_names, shown, scale)
    meta = {"kind": "reconstructions", "dataset": reals.fingerprint, "indices": indices}
    save_png(path, sheet, {**meta, "columns": names, "models": made_by, **describe_scale(scale)})
    return True
