"""A snapshot -> a folder with a page that draws its faces in any browser, opened from the disk."""

from __future__ import annotations

import base64
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from safetensors.torch import save

from ganface.io.atomic import write_text
from ganface.io.html import STYLE
from ganface.latents.directions import Directions
from ganface.models.dcgan import DcganNetwork
from ganface.models.folded import fold


def build_page(
    out: Path, G: DcganNetwork, name: str, origin: dict[str, Any], directions: Directions | None
) -> None:
    """Write index.html, ganface.js and model.js to the folder `out`.

    name: what the page calls the model; origin: its step and snapshot.
    Raises UserError for a G that `fold` refuses; CannotWriteError.
    """
    tensors = {name: tensor.contiguous() for name, tensor in fold(G, halves=True).items()}
    if G.config.labels:
        tensors["examples"] = G.get_buffer("examples").cpu()
    if directions:
        tensors["directions"] = directions.vectors
    about = {
        "name": name,
        **origin,
        "labels": G.config.labels or {},
        "directions": directions.names if directions else [],
    }
    data = base64.b64encode(save(tensors, {"page": json.dumps(about)})).decode()
    here = files("ganface.page")
    kernel = base64.b64encode(here.joinpath("kernel.wasm").read_bytes()).decode()
    scripts = [here.joinpath(part).read_text("utf-8") for part in ("network.js", "page.js")]
    write_text(out / "model.js", f'const MODEL = "{data}";\n')
    write_text(out / "ganface.js", f'const KERNEL = "{kernel}";\n' + "".join(scripts))
    page = here.joinpath("index.html").read_text("utf-8")
    write_text(out / "index.html", page.replace("<style>", f"<style>{STYLE}"))
