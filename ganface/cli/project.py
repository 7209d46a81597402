"""`ganface project`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganface.cli.names import free_paths, name_result
from ganface.cli.options import with_settings
from ganface.cli.shared import (
    AsJson,
    Best,
    Model,
    Scale,
    Step,
    choose_model,
    project_chosen,
    refuse_existing,
    refuse_missing,
    without_middle,
)
from ganface.config.hardware import DeviceConfig
from ganface.errors import UserError
from ganface.io.console import one_line, show_result


@with_settings(DeviceConfig)
def project(
    model: Model,
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGES", help="Image files, folders, .zip files or packs."),
    ],
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, max=100_000, help="Steps for z, and as many for z⁺; 100, or 40 with an encoder."
        ),
    ] = None,
    scale: Scale = None,
    step: Step = None,
    best: Best = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The .safetensors, and a .png beside it; NAME-step-…-latents.safetensors if not "
            "given."
        ),
    ] = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Find where real faces lie in latent space."""
    path = choose_model(model, step, best)
    refuse_missing(*images)
    if out is not None:
        refuse_existing(out)
    else:
        stem = name_result(model, path, "latents")
        out = free_paths(stem, ".safetensors", ".png")[0]
    if out.suffix.lower() != ".safetensors":
        raise UserError(f"--out {out}: the name must end in .safetensors")
    picture = out.with_suffix(".png")
    refuse_existing(picture)

    from ganface.latents.latents import save_latents
    from ganface.models.header import read_architecture
    from ganface.pictures.faces import origin
    from ganface.pictures.projections import check_projections, save_projections

    size = read_architecture(path).size
    found, G, meta = project_chosen(
        model, path, images, given, steps, lambda count: check_projections(size, count, scale)
    )
    made_by = origin(meta)
    errors = {space: each.tolist() for space, each in found.errors.items()}
    save_latents(out, found.points, found.names, {"errors": errors, **made_by})
    save_projections(picture, G, found, made_by, scale)

    reached = found.errors[[*found.errors][-1]]
    order = reached.argsort(descending=True, stable=True).tolist()
    lines = [
        "  ".join(f"{errors[space][i]:8.4f}" for space in errors) + f"  {one_line(found.names[i])}"
        for i in order
    ]
    head = "  ".join(f"{title:>8}" for title in ["error, z", "z⁺"][: len(errors)]) + "  image"
    mean = "  ".join(f"{each.mean():8.4f}" for each in found.errors.values()) + "  mean of all"
    result = {
        "images": [
            {
                "name": found.names[i],
                **{f"error_{space}": errors[space][i] for space in errors},
                "far": i in found.far,
            }
            for i in order
        ],
        "file": str(out),
        "picture": str(picture),
        **made_by,
    }
    show_result(
        result, as_json, "\n".join([head, *without_middle(lines), mean, "", str(out), str(picture)])
    )
