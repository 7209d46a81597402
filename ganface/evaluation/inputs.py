"""What an evaluation reads: models or images that were made, and real ones. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganface.config.architecture import check_size
from ganface.config.dataset import BuildConfig
from ganface.dataset.cache import open_pack
from ganface.dataset.pack import Pack, is_zip
from ganface.errors import UserError
from ganface.io.console import progress_bar
from ganface.io.run import Run, read_config
from ganface.io.tensors import read_header


def is_model(path: Path) -> bool:
    """Whether this is a run directory, a checkpoint or a snapshot, and not a set of images.

    Raises UserError for a file that is none of all these.
    """
    if path.is_dir():
        return Run(path).holds_training()
    return not is_zip(path) and read_header(path).meta["kind"] != "pack"


def open_both(
    images: Path, size: int | None, data: Path, cache: Path, given: dict[str, Any]
) -> tuple[Pack, Pack | None]:
    """The reals, and the images that are measured, if no generator draws these.

    `size`: of the faces that the model `images` draws; None if `images` are images.
    `given`: the settings of BuildConfig that were asked for. Of a run, the others are those that
    its own images were read with.
    Raises UserError for images of another size, and for a pack that was built with other settings.
    """
    settings, wanted = dict(given), dict(given)
    if size is not None:
        if images.is_dir():
            settings = read_config(Run(images))["build"] | settings
        if wanted.setdefault("size", size) != size:
            raise UserError(f"--size {wanted['size']}: {images} makes faces of {size} pixels")
        settings["size"] = size
    check_size(settings.get("size", BuildConfig.size))
    with progress_bar("reading images") as track:
        reals, report = open_pack(data, BuildConfig(**settings), wanted, cache, track)
        if report:
            report.show()
        if size is not None:
            return reals, None
        # Of images that were made, equal ones must stay: they tell that faces became alike
        settings |= {"size": reals.size, "dedupe": "off"}
        made, report = open_pack(
            images, BuildConfig(**settings), {"size": reals.size}, cache, track
        )
        if report:
            report.show()
    return reals, made
