"""Does G draw every kind of drawn face? The factors of `ganface dataset demo` tell.

    scripts/factors demo/run demo/faces

Each of 1,000 samples is given the hair colour and the fringe of the drawn face that is nearest to
it, if that is near: nearer than 90 % of the drawn faces are to each other. An untrained G of the
same kind is measured as well, and should come to nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from ganface.config.dataset import BuildConfig
from ganface.dataset.cache import cached_pack
from ganface.dataset.drawn.factors import HAIR_STYLES
from ganface.dataset.pack import Pack
from ganface.evaluation.neighbours import distance_blocks
from ganface.io.folders import cache_folder
from ganface.io.run import find_model
from ganface.models.dcgan import Generator
from ganface.models.generate import generate, latents_of
from ganface.models.snapshot import load_generator

SAMPLES = 1000
COLOURS = ("brown", "fair", "blue", "violet", "magenta", "pink")
KINDS = len(COLOURS) * len(HAIR_STYLES)
NEAR = 0.9


def colour_of(hue: float, lightness: float) -> int:
    """Index into COLOURS. Half the faces have hues from 0.02 to 0.13, half from 0.5 to 0.98."""
    if hue < 0.3:
        return int(lightness >= 0.5)
    return 2 + min(3, int((hue - 0.5) / 0.12))


def kind_of(row: dict[str, str]) -> int:
    """Which combination of colour and fringe a row of factors.csv is, 0 to KINDS - 1."""
    colour = colour_of(float(row["hair_hue"]), float(row["hair_lightness"]))
    return colour * len(HAIR_STYLES) + HAIR_STYLES.index(row["hair_style"])


def fringe(images: Tensor) -> Tensor:
    """uint8 [N, 3, S, S] -> float32 [N, d]: the pixels of the forehead, where both factors show.

    Whole images are near each other for their background and eyes: of these, the nearest other face
    has the same fringe in 51 of 100 cases, of foreheads in 97.
    """
    side = images.shape[-1]
    forehead = images[:, :, side * 3 // 16 : side // 2, side // 4 : side * 3 // 4]
    return forehead.float().flatten(1)


def nearest(points: Tensor, others: Tensor, themselves: bool = False) -> tuple[Tensor, Tensor]:
    """Distance [N] and index [N] of the nearest of `others`; `themselves`: equal indices aside."""
    found = []
    for rows, distances in distance_blocks(points, others):
        if themselves:
            distances.scatter_(1, torch.arange(len(points))[rows, None], torch.inf)
        found.append(distances.min(1))
    return torch.cat([each.values for each in found]), torch.cat([each.indices for each in found])


class DrawnFaces:
    def __init__(self, folder: Path, size: int) -> None:
        # Duplicates stay, so that the pack has the order of factors.csv
        cache = cache_folder() or folder.parent / "cache"
        path, _ = cached_pack(folder, BuildConfig(size=size, dedupe="off"), cache)
        pack = Pack(path)
        with open(folder / "factors.csv", newline="") as file:
            kinds = [kind_of(row) for row in csv.DictReader(file)]
        assert len(kinds) == len(pack), "not the faces of this factors.csv"
        self.kinds = torch.tensor(kinds)
        self._points = fringe(pack.batch(range(len(pack))))
        distances, indices = nearest(self._points, self._points, themselves=True)
        self._near = distances.quantile(NEAR)
        self.agreement = (self.kinds[indices] == self.kinds).double().mean().item()

    def measure(self, samples: Tensor) -> dict[str, float]:
        """Which kinds of face are among uint8 samples [N, 3, S, S].

        `covered`: the share of kinds with a sample. `well_covered`: of those with at least a
        quarter as many as among the drawn faces; a wrong neighbour or two does not fill these.
        """
        distances, indices = nearest(fringe(samples), self._points)
        kinds = self.kinds[indices[distances < self._near]]
        counts = kinds.bincount(minlength=KINDS)
        expected = self.kinds.bincount(minlength=KINDS) * (len(kinds) / len(self.kinds))
        return {
            "counted": len(kinds) / len(samples),
            "covered": (counts > 0).double().mean().item(),
            "well_covered": ((counts > 0) & (counts >= expected / 4)).double().mean().item(),
        }


def draw(G: Generator) -> Tensor:
    return generate(G, latents_of(G, range(SAMPLES)))


def forget(G: Generator) -> None:
    """Make G what it was before the first update."""
    G.initialise(torch.Generator().manual_seed(0))
    for module in G.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/factors", description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("faces", type=Path, metavar="FACES", help="the folder with factors.csv")
    given = parser.parse_args()
    G, _ = load_generator(find_model(given.model))
    faces = DrawnFaces(given.faces, G.config.size)
    result = {"agreement": faces.agreement, "trained": faces.measure(draw(G))}
    forget(G)
    result["untrained"] = faces.measure(draw(G))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
