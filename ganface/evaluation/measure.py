"""The figures of models or images beside those of reals, from files to files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ganface.dataset.pack import Pack
from ganface.evaluation.drawn import DrawnImages, Images, choose
from ganface.evaluation.evaluate import Evaluation, Figures, split_size
from ganface.evaluation.fidelity import Fidelity, Inception, NotAvailableError, find_weights
from ganface.evaluation.inputs import open_images, open_reals
from ganface.evaluation.labelled import Labelled
from ganface.evaluation.pairs import draw_pairs
from ganface.evaluation.report import describe_protocol, draw_figures
from ganface.io.atomic import write_text
from ganface.io.console import progress_bar, say
from ganface.io.folders import name_of
from ganface.latents.labels import same_labels
from ganface.models.generate import labels_of
from ganface.pictures.faces import open_generator, origin
from ganface.pictures.png import save_png

COUNT_CPU, COUNT_GPU = 5_000, 50_000  # images measured where no number is given


@dataclass(frozen=True)
class Outcome:
    """What `evaluate` found."""

    facts: dict[str, Any]  # all that evaluation.json holds
    pairs: Image.Image  # samples of the last one measured, beside the nearest training images
    reals: Pack  # what they were measured against

    @property
    def columns(self) -> dict[str, Figures]:
        """The figures of each that was measured, by its name."""
        return {each["name"]: each["figures"] for each in self.facts["measured"]}

    def save(self, folder: Path, chart: bool = False) -> list[Path]:
        """Write evaluation.json, pairs.png and, of a run's milestones, chart.png; return the paths.

        Raises CannotWriteError.
        """
        measured = self.facts["measured"]
        files = [folder / "evaluation.json", folder / "pairs.png"]
        write_text(files[0], json.dumps(self.facts, indent=1) + "\n")
        made_by = {key: measured[-1][key] for key in ("step", "snapshot") if key in measured[-1]}
        save_png(files[1], self.pairs, {"kind": "pairs", **made_by})
        if chart:
            files.append(folder / "chart.png")
            steps = {each["step"]: each["figures"] for each in measured}
            picture = draw_figures(steps, self.facts["floors"])
            save_png(files[2], picture, {"kind": "chart", "steps": [*steps]})
        return files


def evaluate(
    images: Path,
    models: Sequence[Path],
    data: Path,
    cache: Path,
    device: torch.device,
    count: int | None = None,
    given: dict[str, Any] | None = None,
    weights: Path | None = None,
    download: bool = False,
    names: Sequence[str] | None = None,
) -> Outcome:
    """Measure `models`, the model files of `images`; or if there are none, the images in it.

    data, cache: the reals, and the folder for packs that are made of folders and zips.
    count: images to measure; fewer are where there are fewer, which is said on stderr.
    given: the settings of BuildConfig that were asked for.
    names: of the models; their steps if not given.
    weights, download: see `find_weights`. Without Inception's weights FID and the like are left
    out, which is said on stderr.
    Raises UserError for files that do not fit each other, or too few images; WorkError for images
    that are bad or weights that are none.
    """
    asked = count or (COUNT_CPU if device.type == "cpu" else COUNT_GPU)
    weights, missing = _find_inception(weights, download)
    made: Pack | None = None
    if models:
        open_generator(models[0], device)  # what is wrong with it is said before images are read
        reals = open_reals(images, models[0], data, cache, given or {})
    else:
        reals, made = open_images(images, data, cache, given or {})
    available = len(made) if made else asked
    count = split_size(asked, available, len(reals))
    samples = asked if weights else count  # fid_all is of as many as asked for, as in papers
    if missing:
        say(missing)
    if count < asked:
        there = f"there are {available}, and {len(reals)} reals to be split in two"
        say(f"{count} images are measured, not {asked}: {there}")
    with progress_bar("reals") as track:
        evaluation = Evaluation(reals, count, device, track)
        fidelity = Fidelity(reals, count, Inception(weights, device), track) if weights else None
    floors = evaluation.floors | (fidelity.floors if fidelity else {})
    labelled: Labelled | None = None

    measured: list[dict[str, Any]] = []
    for number, path in enumerate(models or [images]):
        fakes: Images
        chosen: Sequence[int]
        labels: Tensor | None = None
        if made:
            name, made_by, fakes, chosen = name_of(path), {}, made, choose(made, samples)
        else:
            G, meta = open_generator(path, device)
            name, made_by = names[number] if names else f"step {meta['step']:,}", origin(meta)
            fakes, chosen = DrawnImages(G, samples), range(samples)
            if same_labels(G.config.labels, reals.attributes):
                labels = labels_of(G, chosen)
            if labels is not None and labelled is None:
                with progress_bar("labels of reals") as track:
                    labelled = Labelled(reals, count, device, track)
                floors |= labelled.floors
        with progress_bar(name) as track:
            figures, pairs = evaluation.measure(fakes, chosen[:count], track)
            if labelled and labels is not None:
                figures |= labelled.measure(fakes, chosen[:count], labels)
            if fidelity:
                figures |= fidelity.measure(fakes, chosen, track)
        as_json = [asdict(pair) for pair in pairs]
        measured.append({"name": name, **made_by, "figures": figures, "pairs": as_json})

    facts = {
        "images": str(images),
        "data": str(data),
        **describe_protocol(reals, count, len(chosen), device, weights),
        "floors": floors,
        "measured": measured,
    }
    name = "image" if made else "seed"
    near, typical = evaluation.near, evaluation.typical
    return Outcome(facts, draw_pairs(fakes, reals, pairs, near, typical, count, name), reals)


def _find_inception(folder: Path | None, download: bool) -> tuple[Path | None, str]:
    """The weights that FID needs; or None, and why not."""
    try:
        return find_weights(folder, download), ""
    except NotAvailableError as reason:
        return None, f"no FID, KID, precision and recall: {reason}"
