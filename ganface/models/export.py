"""A generator as an ONNX file, for programs that know nothing of PyTorch."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from pathlib import Path
from typing import Any

import torch

from ganface.config.architecture import DcganConfig
from ganface.errors import UserError, WorkError
from ganface.io.atomic import atomic
from ganface.models.dcgan import DcganNetwork
from ganface.models.folded import FoldedGenerator, fold
from ganface.models.generate import generate, latents_of

OPSET = 18  # of 2022, which every runtime in use reads
CHECKED = 16  # faces that the file must draw as G does
MISSING = "needs onnx, onnxscript and onnxruntime; pip install 'ganface[onnx]' brings them"


def require_onnx() -> None:
    """Raise UserError where ONNX files cannot be written."""
    try:
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(f"export: {MISSING}") from error


def export_onnx(path: Path, G: DcganNetwork, origin: dict[str, Any], halves: bool) -> int:
    """Write G as an ONNX file; return by how many grey levels its faces miss G's at most.

    Its input is z, float32 [B, z_dim], and for a G that knows some labels, float32
    [B, label_values]; its output images, uint8 [B, 3, S, S]. halves: keep the large weights as
    float16; what is computed stays float32. origin: step and snapshot, for its metadata.

    Raises UserError for a G that cannot be folded, WorkError if the file draws other faces;
    CannotWriteError.
    """
    import onnxruntime

    folded = fold(G, halves)
    latents = latents_of(G, range(CHECKED))
    z, labels = latents.tensor_split([G.config.z_dim], 1)
    inputs = {"z": z, "labels": labels} if G.config.labels else {"z": z}
    # It tells of each of its steps
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            FoldedGenerator(folded).eval(),
            tuple(inputs.values()),
            input_names=[*inputs],
            output_names=["images"],
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=tuple({0: torch.export.Dim("batch")} for _ in inputs),
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props["ganface"] = json.dumps({**origin, **inputs_of(G.config)})
    data = program.model_proto.SerializeToString()

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (images,) = session.run(None, {name: each.numpy() for name, each in inputs.items()})
    missed = int((torch.from_numpy(images).int() - generate(G, latents).int()).abs().max())
    if missed > 1:
        raise WorkError(f"{path}: not written, for its faces miss G's by {missed} grey levels")
    with atomic(path) as file:
        file.write(data)
    return missed


def inputs_of(config: DcganConfig) -> dict[str, Any]:
    """What the numbers of z and labels stand for."""
    values = [f"{name}={each}" for name, held in (config.labels or {}).items() for each in held]
    return {"z_dim": config.z_dim, "size": config.size, "labels": values}
