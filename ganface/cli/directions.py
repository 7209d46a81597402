"""`ganface directions`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ganface.cli.options import with_settings
from ganface.cli.shared import (
    AsJson,
    Best,
    Model,
    Step,
    choose_model,
    choose_out,
    open_chosen,
    refuse_missing,
)
from ganface.config.dataset import FACTORS
from ganface.config.hardware import DeviceConfig
from ganface.errors import UserError
from ganface.io.console import as_text, progress_bar, show_result

if TYPE_CHECKING:
    from rich.table import Table

    from ganface.evaluation.probe import Measurements
    from ganface.latents.directions import Directions


@with_settings(DeviceConfig)
def directions(
    model: Model,
    by: Annotated[
        Literal["jacobian", "sefa"],
        typer.Option(
            help="How those without labels are found: where small copies of faces change most, or "
            "from the weights of the layers that read z."
        ),
    ] = "jacobian",
    count: Annotated[
        int, typer.Option(min=1, max=1000, help="So many of those; z_dim at most.")
    ] = 8,
    faces: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA",
            help="A folder or .zip of faces with labels, which are learnt from them and take the "
            f"place of measuring hair, eyes and so on. Its labels are {FACTORS} in it if --labels "
            "names no other.",
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A CSV: names of files, then numbers, hues (columns ..hue: 0 to 1, or degrees) or "
            "texts. Its faces lie in its folder if --faces names no other.",
        ),
    ] = None,
    step: Step = None,
    best: Best = False,
    out: Annotated[
        Path | None, typer.Option(help="NAME-directions.safetensors if not given.")
    ] = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Find what moves hair, eyes or background in latent space.

    4,000 faces are measured, and each measurement gets a direction that moves it, and the rest of
    the picture as little as can be. Then come those along which faces change most, named after what
    they move. `interpolate` and `sample` take them by --directions.
    """
    from ganface.io.folders import name_of

    path = choose_model(model, step, best)
    if faces is not None or labels is not None:
        faces = faces or (labels.parent if labels else None)
        assert faces is not None
        refuse_missing(faces)
        if labels is None and not faces.is_dir():
            raise UserError(f"--faces {faces}: is no folder with a {FACTORS}; add --labels")
        labels = labels or faces / FACTORS
        refuse_missing(labels)
    out = choose_out(out, f"{name_of(model)}-directions.safetensors")

    from ganface.evaluation.named_directions import find_directions
    from ganface.latents.directions import save_directions
    from ganface.pictures.faces import origin

    G, meta = open_chosen(path, given)
    found = find_directions(G, by, count, choose_measurements(model, path, faces, labels))
    save_directions(out, found, origin(meta))
    about = [asdict(each) for each in found.about]
    result = {"out": str(out), "directions": about, **origin(meta)}
    show_result(result, as_json, f"{as_text(table_of(found))}\n\n{out}")


def choose_measurements(
    model: Path, path: Path, faces: Path | None, labels: Path | None
) -> "Measurements":
    """The labels of faces, once they are learnt; what can be measured without if there are none.

    Raises UserError for labels that cannot be used.
    """
    from ganface.dataset.label_numbers import read_label_numbers
    from ganface.evaluation.inputs import build_of
    from ganface.evaluation.label_reader import learn_labels
    from ganface.evaluation.probe import Measurements
    from ganface.evaluation.traits import measure_traits

    if faces is None or labels is None:
        return Measurements("measured", measure_traits, far=False)
    with progress_bar("learning labels") as track:
        numbers = read_label_numbers(faces, str(labels))
        reader = learn_labels(faces, numbers, build_of(model, path), track)
    return Measurements("labelled", reader, far=True, factors=reader.factors)


def table_of(found: "Directions") -> "Table":
    """A row for each direction."""
    from rich.table import Table

    table = Table("", "direction", "found by", "R²", "moves", "", "also", "", box=None)
    for column in (0, 3, 5, 7):
        table.columns[column].justify = "right"
    for number, each in enumerate(found.about):
        measured = each.found_by in ("measured", "labelled")
        told = f"{each.strength:.2f}" if measured else f"{each.strength:.1%}"
        moves = each.moves, f"{each.move:+.2f}", each.also_moves, f"{each.side_move:.2f}"
        table.add_row(str(number), each.name, each.found_by, told, *moves)
    return table
