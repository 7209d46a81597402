"""`ganface export`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ganface.cli.shared import AsJson, Best, Model, Step, choose_model, choose_out
from ganface.errors import UserError
from ganface.io.console import show_result


def export(
    model: Model,
    out: Annotated[
        Path | None, typer.Argument(metavar="[OUT]", help="NAME.onnx if not given.")
    ] = None,
    precision: Annotated[
        Literal["fp32", "fp16"],
        typer.Option(help="Of the weights in the file; fp16 makes it half as large."),
    ] = "fp32",
    step: Step = None,
    best: Best = False,
    as_json: AsJson = False,
) -> None:
    """Write the generator as an ONNX file, for other programs.

    z goes in (and labels), images of 0 to 255 come out. The file is checked against PyTorch before
    it is written. Needs the extra onnx.
    """
    from ganface.io.folders import name_of

    path = choose_model(model, step, best)
    out = choose_out(out, f"{name_of(model)}.onnx")
    if out.suffix.lower() != ".onnx":
        raise UserError(f"{out}: an ONNX file is called .onnx")

    from ganface.models.export import export_onnx, require_onnx
    from ganface.models.snapshot import load_generator
    from ganface.pictures.faces import origin

    require_onnx()
    G, meta = load_generator(path)
    missed = export_onnx(out, G, origin(meta), precision == "fp16")
    result = {"out": str(out), "grey_levels": missed, **origin(meta)}
    show_result(result, as_json, str(out))
