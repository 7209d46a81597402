"""What an evaluation reads: models or images that were made, and real ones. Imports no torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ganface.config.architecture import check_size
from ganface.config.dataset import BuildConfig
from ganface.dataset.cache import open_pack
from ganface.dataset.labels import check_labels
from ganface.dataset.pack import Pack, is_zip
from ganface.errors import UserError
from ganface.io.console import progress_bar, say
from ganface.io.run import Run, read_config
from ganface.io.tensors import read_header
from ganface.models.header import read_model_header


def is_model(path: Path) -> bool:
    """Whether this is a run directory, a checkpoint or a snapshot, and not a set of images.

    Raises UserError for a file that is none of all these.
    """
    if path.is_dir():
        return Run(path).holds_training()
    return not is_zip(path) and read_header(path).meta["kind"] != "pack"


def build_of(model: Path, path: Path) -> BuildConfig:
    """How images are made ready for the file `path` that MODEL means: as the run's own were.

    Of a snapshot alone, which does not say, as by default. Raises UserError if its generator cannot
    be drawn, or was made with a setting that is not known here.
    """
    meta = read_model_header(path).meta
    held = read_config(Run(model)) if model.is_dir() else meta
    return BuildConfig.stored({**held.get("build", {}), "size": meta["generator"]["size"]})


def open_reals(model: Path, path: Path, data: Path, cache: Path, given: dict[str, Any]) -> Pack:
    """The images that the file `path` that MODEL means is measured against.

    `given`: the settings of BuildConfig that were asked for; the others are those that the model's
    own images were read with. Its labels are left out, which is said, where they do not fit.
    Raises UserError for images of another size, and for a pack that was built with other settings.
    """
    own = build_of(model, path)
    if given.get("size", own.size) != own.size:
        raise UserError(f"--size {given['size']}: {model} makes faces of {own.size} pixels")
    config = replace(own, **given)
    if "labels" not in given:
        try:
            check_labels(data, config)
        except UserError as error:
            say(f"the labels that {model} was trained with are left out: {error}")
            config = replace(config, labels=None, label_columns="")
    return _open(data, config, {**given, "size": own.size}, cache)


def open_images(images: Path, data: Path, cache: Path, given: dict[str, Any]) -> tuple[Pack, Pack]:
    """The reals, and images that somebody made, which are measured; read alike.

    `given`: see `open_reals`. Raises UserError as it does.
    """
    config = BuildConfig(**given)
    check_size(config.size)
    reals = _open(data, config, given, cache)
    # Of images that were made, equal ones must stay: they tell that faces became alike
    config = replace(config, size=reals.size, dedupe="off", labels=None, label_columns="")
    return reals, _open(images, config, {"size": reals.size}, cache)


def _open(data: Path, config: BuildConfig, given: dict[str, Any], cache: Path) -> Pack:
    with progress_bar("reading images") as track:
        pack, report = open_pack(data, config, given, cache, track)
        if report:
            report.show()
    return pack
