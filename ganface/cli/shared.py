"""What several commands share: options that they spell alike, and where their results go."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganface.cli.names import free_paths
from ganface.config.dataset import BuildConfig
from ganface.config.hardware import DeviceConfig
from ganface.config.settings import between, optional, parse_integers
from ganface.errors import UserError
from ganface.io.console import one_line, progress_bar, say

if TYPE_CHECKING:
    from ganface.latents.projection import Projection
    from ganface.models.dcgan import DcganNetwork

LISTED = 10  # lines of a table at either end, where it is long


def check_scale(value: float | None) -> float | None:
    """Raise UserError for a --scale that nothing is drawn at."""
    problem = optional(between(0.1, 32))(value)
    if problem:
        raise UserError(f"--scale {value}: {problem}")
    return value


AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        help="Where packs made by train are kept.",
        rich_help_panel=BuildConfig.TITLE,
    ),
]
Count = Annotated[
    int | None, typer.Option(min=1, help="Images to measure; 50,000 on a GPU, 5,000 on a CPU.")
]
Model = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A run directory, a checkpoint or a snapshot.")
]
Step = Annotated[int | None, typer.Option(help="Take this milestone of a run, not its latest.")]
LatentsFile = Annotated[
    Path | None,
    typer.Option("--latents", metavar="FILE", help="In place of seeds: the faces of this file."),
]
DirectionsFile = Annotated[
    Path | None,
    typer.Option("--directions", metavar="FILE", help="What `ganface directions` found."),
]
Scale = Annotated[
    float | None,
    typer.Option(
        "--scale",
        callback=check_scale,
        help="How many times larger than G's own the faces are drawn, 1 for its own pixels. If not "
        "given: as large as a screen shows, of a single face 256 pixels.",
    ),
]
Best = Annotated[bool, typer.Option("--best", help="Take the best of a run by its scores.")]


def refuse_missing(*paths: Path) -> None:
    """Raise UserError if one of these is not there."""
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: there is no such file or folder")


def check_latents(seeds: str | None, latents: Path | None) -> int:
    """How many faces --seeds and --latents ask for, of which there is one at most. Imports no
    torch.

    Raises UserError if both are there, or what is written there is wrong.
    """
    from ganface.io.tensors import read_header

    if latents is None:
        return len(parse_integers("--seeds", seeds)) if seeds is not None else 0
    if seeds is not None:
        raise UserError(f"--latents {latents}: is in place of --seeds; leave one out")
    names = read_header(latents, "latents").meta.get("names")
    return len(names) if isinstance(names, list) else 0


def refuse_existing(*paths: Path, folder: bool = False) -> None:
    """Raise UserError if one of these is there already, or could not be written.

    With `folder`, an empty folder may be there.
    """
    from ganface.io.folders import check_writable

    for path in paths:
        check_writable(path)
        fillable = folder and path.is_dir() and not any(path.iterdir())
        if path.exists() and not fillable:
            raise UserError(f"{path}: exists already; give another name, or remove it")


def choose_out(given: Path | None, default: str, folder: bool = False) -> Path:
    """The given path; if none was given, `default`, numbered if it is taken.

    Raises UserError as `refuse_existing` does, for a path that was given, and for a default that
    could not be written.
    """
    if given is not None:
        refuse_existing(given, folder=folder)
        return given
    suffix = "" if folder else Path(default).suffix  # a folder's name may have a dot
    return free_paths(default.removesuffix(suffix), suffix)[0]


def require_png(out: Path, reason: str) -> None:
    """Raise UserError, which says `reason`, unless the name ends in .png."""
    if out.suffix.lower() != ".png":
        raise UserError(f"--out {out}: {reason}")


def without_middle(lines: Sequence[str]) -> list[str]:
    """The lines of a table; of a long one those at either end."""
    if len(lines) <= 2 * LISTED:
        return [*lines]
    left_out = f"… {len(lines) - 2 * LISTED:,} more; --json has all"
    return [*lines[:LISTED], left_out, *lines[-LISTED:]]


def choose_model(model: Path, step: int | None, best: bool) -> Path:
    """The file that MODEL, --step and --best mean. Imports no torch.

    Raises UserError if there is none, or if its generator cannot be drawn.
    """
    from ganface.io.run import find_model
    from ganface.models.header import read_model_header

    path = find_model(model, step, best)
    mention_best(model, [path])
    read_model_header(path)
    return path


def mention_best(model: Path, chosen: Sequence[Path]) -> None:
    """Say so if a run's latest snapshot is among the chosen, and an earlier one scored far better.

    model: what the user gave, a run directory or a file.
    """
    from ganface.io.run import Run
    from ganface.io.stats import read_lines
    from ganface.methods.verdict import compare_latest

    if Run(model).generator not in chosen:
        return
    with suppress(OSError):
        remark = compare_latest(read_lines(Run(model).stats))
        if remark:
            say(remark)


def open_chosen(path: Path, given: dict[str, Any]) -> "tuple[DcganNetwork, dict[str, Any]]":
    """The generator of a model file on the device that was asked for, and its metadata."""
    from ganface.pictures.faces import open_generator
    from ganface.system.device import choose_device

    return open_generator(path, choose_device(DeviceConfig(**given).device))


def project_chosen(
    model: Path,
    path: Path,
    images: Sequence[Path],
    given: dict[str, Any],
    steps: int | None = None,
    check: Callable[[int], None] | None = None,
) -> "tuple[Projection, DcganNetwork, dict[str, Any]]":
    """`latents.projection.project_images` to the file `path` that MODEL means, with progress.

    check: of how many images there are, before they are projected. Warns of each that is far from
    all that the generator draws.
    """
    from ganface.dataset.images import read_images
    from ganface.evaluation.inputs import build_of
    from ganface.latents.projection import project_images
    from ganface.system.device import choose_device

    device = choose_device(DeviceConfig(**given).device)
    named = list(read_images(images, build_of(model, path)))
    if check:
        check(len(named))
    with progress_bar("projecting") as track:
        found, G, meta = project_images(path, named, device, steps, track)
    for index in found.far:
        error, name = found.errors["z"][index], one_line(found.names[index])
        say(
            f"{name}: like no face that this G draws: an error of {error:.2f}, where the variance "
            f"of its faces is {found.variance:.2f}"
        )
    return found, G, meta
