"""The samples that are nearest to training images, and a sheet that shows them beside these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageOps
from torch import Tensor

from ganface.dataset.pack import Pack
from ganface.evaluation.drawn import Images
from ganface.evaluation.memorisation import COMMON, Nearest, ranked
from ganface.pictures.chart import FADED
from ganface.pictures.grid import INK, PAPER, to_pil
from ganface.pictures.scales import percent
from ganface.pictures.text import ZOOM, length, write

PAIRS = 8  # samples shown
NEIGHBOURS = 3  # training images beside each
COLUMNS = 2  # of samples with their neighbours

SIDE = 96  # pixels that an image takes at least
GAP, MARGIN, AFTER = 6, 20, 14  # between images, around the sheet, between a sample and the rest
TITLE, HEAD, UNDER, LINE = 58, 24, 26, 17  # above all, above images, below each, of the last lines


@dataclass(frozen=True)
class Neighbour:
    """A training image that is near to a sample."""

    training: int  # an index into the pack
    mirrored: bool
    distance: float  # root mean square over thumbnails of mean 0 and deviation 1


@dataclass(frozen=True)
class Pair:
    """A sample and the training images that are nearest to it, the nearest first."""

    sample: int  # its index, which is its seed if G drew it
    nearest: Sequence[Neighbour]


def closest_pairs(
    found: Nearest, indices: Sequence[int], samples: Tensor, training: Tensor
) -> list[Pair]:
    """The PAIRS samples that are nearest to a training image, no training image in two of them.

    found: the `nearest` of samples [N, d], whose indices are `indices`, among [M, d].
    """
    pairs: list[Pair] = []
    shown: set[int] = set()
    for i in found.distances.argsort(stable=True).tolist():
        if len(pairs) == PAIRS:
            break
        if int(found.indices[i]) in shown:
            continue
        near = ranked(samples[i : i + 1], training, min(len(training), PAIRS * NEIGHBOURS))
        found_here = (near.indices, near.mirrored, near.distances)
        neighbours = [
            Neighbour(index, mirrored, round(distance, 3))
            for index, mirrored, distance in zip(*(t[0].tolist() for t in found_here), strict=True)
            if index not in shown
        ][:NEIGHBOURS]
        shown |= {neighbour.training for neighbour in neighbours}
        pairs.append(Pair(indices[i], neighbours))
    return pairs


def draw_pairs(
    fakes: Images,
    reals: Pack,
    pairs: Sequence[Pair],
    near: float,
    typical: float,
    count: int,
    name: str = "seed",
) -> Image.Image:
    """Each sample beside the training images that are nearest to it, with their distances.

    near, typical: the `near_distances` of training images to each other. count: samples in all.
    name: what the number of a sample is.
    """
    zoom = max(1, math.ceil(SIDE / reals.size))
    side = zoom * reals.size
    step = side + GAP
    block = (1 + NEIGHBOURS) * step - GAP + AFTER
    rows = math.ceil(len(pairs) / COLUMNS)
    width = COLUMNS * block + (COLUMNS - 1) * 2 * MARGIN + 2 * MARGIN
    lines = _wrapped(
        [
            f"Each face stands left of the {NEIGHBOURS} training images that are most like it, "
            "mirrored where that is nearer; each training image is shown once.",
            "How alike: 16 × 16 thumbnails, their brightness and contrast set aside. 0.00 is a "
            f"copy. Of the training images {percent(COMMON)} have another one within {near:.2f}, "
            f"half of them within {typical:.2f}.",
        ],
        width - 2 * MARGIN,
    )
    below = TITLE + HEAD + rows * (side + UNDER) + 8
    height = below + LINE * len(lines) + MARGIN
    sheet = Image.new("RGB", (width * ZOOM, height * ZOOM), PAPER)
    draw = ImageDraw.Draw(sheet)
    title = (
        f"Are these training images? Of {count:,} faces the {len(pairs)} that are nearest to one"
    )
    write(draw, (MARGIN * ZOOM, 34 * ZOOM), title, INK, "ls", 18)

    lefts = [MARGIN + column * (block + 2 * MARGIN) for column in range(COLUMNS)]
    faces: list[tuple[Image.Image, tuple[int, int]]] = []
    for left in lefts[: len(pairs)]:
        heads = ["drawn", *("nearest", "second", "third")[:NEIGHBOURS]]
        for column, head in enumerate(heads):
            x = left + column * step + (AFTER if column else 0)
            write(draw, ((x + side / 2) * ZOOM, (TITLE + 10) * ZOOM), head, FADED, "mm")
    for number, pair in enumerate(pairs):
        row, column = divmod(number, COLUMNS)
        top = TITLE + HEAD + row * (side + UNDER)
        images = [to_pil(fakes.batch([pair.sample])[0])]
        texts = [f"{name} {pair.sample}"]
        for neighbour, real in zip(
            pair.nearest, reals.batch([n.training for n in pair.nearest]), strict=True
        ):
            image = to_pil(real)
            images.append(ImageOps.mirror(image) if neighbour.mirrored else image)
            texts.append(f"{neighbour.distance:.2f}" + (", mirrored" * neighbour.mirrored))
        for place, (image, text) in enumerate(zip(images, texts, strict=True)):
            x = lefts[column] + place * step + (AFTER if place else 0)
            faces.append((ImageOps.scale(image, zoom, Image.Resampling.NEAREST), (x, top)))
            write(draw, ((x + side / 2) * ZOOM, (top + side + 11) * ZOOM), text, INK, "mm")
    for number, line in enumerate(lines):
        y = below + LINE * number + LINE // 2
        write(draw, (MARGIN * ZOOM, y * ZOOM), line, INK, "lm")
    whole = sheet.reduce(ZOOM)
    for image, corner in faces:
        whole.paste(image, corner)
    return whole


def _wrapped(texts: Sequence[str], width: int) -> list[str]:
    """The texts in lines of at most `width` pixels, each beginning a new one."""
    lines: list[str] = []
    for text in texts:
        line = ""
        for word in text.split(" "):
            longer = f"{line} {word}" if line else word
            if line and length(longer) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines
