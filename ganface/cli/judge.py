"""`ganface judge`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganface.cli.names import free_paths, name_result
from ganface.cli.options import with_settings
from ganface.cli.shared import (
    AsJson,
    LatentsFile,
    Scale,
    check_latents,
    refuse_existing,
    refuse_missing,
    require_png,
    without_middle,
)
from ganface.config.hardware import DeviceConfig
from ganface.errors import UserError
from ganface.io.console import one_line, show_result


@with_settings(DeviceConfig)
def judge(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="A run directory, whose newest checkpoint is taken; or one."
        ),
    ],
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="IMAGES", help="Image files, folders, .zip files or packs."),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Faces of this checkpoint's G to judge as well.")
    ] = None,
    latents: LatentsFile = None,
    scale: Scale = None,
    out: Annotated[
        Path | None, typer.Option(help="The PNG; NAME-step-…-judged.png if not given.")
    ] = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Say how real D finds images, the realest first."""
    from ganface.io.run import find_discriminator
    from ganface.models.header import read_model_header

    paths = images or []
    refuse_missing(model, *paths)
    checkpoint = find_discriminator(model)
    read_model_header(checkpoint)
    if not paths and seeds is None and latents is None:
        raise UserError("no images: name some, or add --seeds for faces that G draws")
    check_latents(seeds, latents)
    if out is not None:
        refuse_existing(out)
        require_png(out, "the picture is a .png")

    from ganface.evaluation.judging import judge
    from ganface.system.device import choose_device

    device = choose_device(DeviceConfig(**given).device)
    if out is None:
        (out,) = free_paths(name_result(model, checkpoint, "judged"), ".png")
    answers, made_by = judge(checkpoint, device, paths, seeds, latents, out, scale)
    lines = [
        f"{each.probability:6.3f}  {each.logit:+8.3f}  {one_line(each.name)}" for each in answers
    ]
    table = ["  D(x)     logit  image", *without_middle(lines), "", str(out)]
    result = {"images": [each._asdict() for each in answers], "file": str(out), **made_by}
    show_result(result, as_json, "\n".join(table))
