"""What is said of images: labels, by attribute, from folders, tables and tags."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from ganface.config.dataset import FOLDERS, TEXTS, BuildConfig
from ganface.dataset.decode import BadImageError
from ganface.dataset.pack import Labels, is_pack
from ganface.dataset.sources import list_source, read_image
from ganface.errors import UserError, did_you_mean
from ganface.latents.labels import RANGE

MOST_VALUES = 100  # of one attribute
FEW_NUMBERS = 12  # a column of so many different numbers is one of values, of more it is cut up
BINS = 4  # into which numbers are cut, with as many images in each
COLOURS = (
    *("aqua", "black", "blonde", "blue", "brown", "gray", "green", "grey", "orange", "pink"),
    *("purple", "red", "silver", "white", "yellow", "bicolored", "multicolored"),
)
# "aqua hair", "blue_eyes"; of "long hair" nothing
TAGGED = re.compile(rf"\b({'|'.join(COLOURS)})[ _](hair|eyes)\b")

Said = dict[str, dict[str, str]]  # of each image, by attribute


@dataclass(frozen=True)
class LabelSource:
    """What is said of the images of a folder or zip, before it is known which a pack takes."""

    said: Said
    without_image: list[str]  # names that are no image's

    def of(self, names: Sequence[str]) -> tuple[Labels, list[str]]:
        """The labels of these images, and what to tell the user of them.

        A value that one image alone has is left out: nothing can be learned of it. Raises UserError
        if no attribute is left that differs among the images.
        """
        rows = [self.said.get(name, {}) for name in names]
        attributes, notes = {}, []
        for name in sorted({key for row in rows for key in row}):
            counts = Counter(row[name] for row in rows if name in row)
            alone = sorted(value for value, count in counts.items() if count == 1)
            values = sorted(counts.keys() - set(alone), key=_place)
            if alone:
                shown = ", ".join(alone[:3]) + (", …" if len(alone) > 3 else "")
                notes.append(f"labels: {name}: {shown}: one image alone has it; left out")
            if len(values) > MOST_VALUES:
                raise UserError(
                    f"labels: {name} has {len(values):,} values, more than {MOST_VALUES}; choose "
                    "other columns by --label-columns"
                )
            if len(values) > 1:
                attributes[name] = tuple(values)
            else:
                same = f"all {'others' if alone else 'images'} have the same"
                reason = same if values else "no two images have the same"
                notes.append(f"labels: {name}: {reason}; left out")
        if not attributes:
            raise UserError("--labels: nothing in which images differ; " + "; ".join(notes))
        numbers = {
            name: {value: i for i, value in enumerate(values, start=1)}
            for name, values in attributes.items()
        }
        encoded = [
            bytes(of.get(row.get(name, ""), 0) for name, of in numbers.items()) for row in rows
        ]
        notes += _missing("images have no label", [n for n in names if not self.said.get(n)])
        notes += _missing("labels are of no image", self.without_image)
        return Labels(attributes, encoded), notes


def _missing(what: str, names: Sequence[str]) -> list[str]:
    return [f"labels: {len(names):,} {what}, such as {names[0]}"] if names else []


def _place(value: str) -> tuple[float, str]:
    """By which values are sorted: numbers and bins by size, others by name, after them."""
    number = _number(value.partition(RANGE)[0])
    return (float("inf") if number is None else number), value


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def read_labels(source: Path, config: BuildConfig, names: Sequence[str]) -> LabelSource | None:
    """What `config.labels` says of the images `names` of a folder or zip; None if nothing is asked.

    Raises UserError if it cannot be read, or fits none of them.
    """
    if config.labels is None:
        return None
    said, without_image = read_said(source, config.labels, config.label_columns, names)
    return LabelSource(_cut_numbers(said), without_image)


def check_labels(data: Path, config: BuildConfig) -> None:
    """Raise UserError if the labels that `config` names do not fit DATA; of a pack there are none
    to be read."""
    if config.labels is not None and not is_pack(data):
        names = list_source(data).images
        source = read_labels(data, config, names)
        if source:
            source.of(names)


def read_said(
    source: Path, labels: str, columns: str, names: Sequence[str]
) -> tuple[Said, list[str]]:
    """What is written of the images `names` of a folder or zip, and what is of no image. Raises
    UserError as `read_labels` does."""
    wanted = [name.strip() for name in columns.split(",") if name.strip()]
    if labels == FOLDERS:
        said = {name: {"folder": str(PurePosixPath(name).parent)} for name in names if "/" in name}
        if not said:
            raise UserError(f"--labels {FOLDERS}: no image of {source} lies in a folder of its own")
    elif labels == TEXTS:
        texts = dict(_texts_beside(source, names))
        if not texts:
            raise UserError(f"--labels {TEXTS}: no .txt lies beside an image of {source}")
        said = _of_tags(texts, wanted)
    else:
        said = _read_file(Path(labels), wanted)
    matched, without_image = _match(said, names, labels)
    return _cleaned(matched, labels), without_image


def _cleaned(said: Said, labels: str) -> Said:
    """Without the signs by which a command line takes labels apart, and without what is not known:
    empty cells, and numbers that are none. Raises UserError where that makes one of two."""
    known = {
        image: {name: value for name, value in row.items() if _is_known(value)}
        for image, row in said.items()
    }
    columns: dict[str, set[str]] = {}
    for row in known.values():
        for name, value in row.items():
            columns.setdefault(name, set()).add(value)
    names = _renamed(columns, r"[,=*\s]+", f"{labels}: columns")
    values = {
        name: _renamed(sorted(cells), r"[,=*]", f"{labels}: {name}: values")
        for name, cells in columns.items()
    }
    return {
        image: {names[name]: values[name][value] for name, value in row.items()}
        for image, row in known.items()
    }


def _is_known(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return bool(value.strip())


def _renamed(texts: Iterable[str], signs: str, what: str) -> dict[str, str]:
    """Each of the texts with "_" for the signs. Raises UserError if two are called the same then
    that differ in more than space around them."""
    renamed = {text: re.sub(signs, "_", text.strip()) for text in texts}
    owners: dict[str, str] = {}
    for text, name in renamed.items():
        other = owners.setdefault(name, text.strip())
        if other != text.strip():
            raise UserError(
                f"--labels {what} {other!r} and {text.strip()!r} would both be called {name}, for "
                "the signs , = and * part labels; rename one"
            )
    return renamed


def _match(said: Said, names: Sequence[str], labels: str) -> tuple[Said, list[str]]:
    """By the names of images, and those that name none. "a/b.png" may be called so, or b.png, or b,
    where that is no other's name."""
    called: dict[str, list[str]] = {}
    for name in names:
        path = PurePosixPath(name)
        for short in {name, path.name, path.stem, str(path.with_suffix(""))}:
            called.setdefault(short, []).append(name)
    exact = set(names)
    found: Said = {}
    without = []
    for given, row in said.items():
        name = given.replace("\\", "/").removeprefix("./")  # as Windows writes it
        owners = [name] if name in exact else called.get(name, [])
        if len(owners) > 1:
            raise UserError(f"--labels {labels}: {name} is {' and '.join(owners[:2])}; write which")
        if not owners:
            without.append(name)
        elif found.setdefault(owners[0], row) is not row:
            raise UserError(f"--labels {labels}: {name} has labels twice")
    if not found:
        raise UserError(
            f"--labels {labels}: it is of no image here; it says {next(iter(said), 'nothing')!r}, "
            f"an image is {names[0]!r}"
        )
    return found, without


def _cut_numbers(said: Said) -> Said:
    """With numbers, where there are many different, in BINS ranges of as many images each. A number
    that fills one of them stays by itself."""
    for name in {key for row in said.values() for key in row}:
        numbers = {image: _number(row[name]) for image, row in said.items() if name in row}
        known = sorted(number for number in numbers.values() if number is not None)
        if len(known) < len(numbers) or len(set(known)) <= FEW_NUMBERS:
            continue
        places = [round(i * (len(known) - 1) / BINS) for i in range(BINS + 1)]
        edges = list(pairwise(known[place] for place in places))
        filling = {low: f"{low:.4g}" for low, high in edges if low == high}
        bins = [(high, f"{low:.4g}{RANGE}{high:.4g}") for low, high in edges if low < high]
        for image, number in numbers.items():
            assert number is not None
            within = filling.get(number) or next(text for high, text in bins if number <= high)
            said[image][name] = within
    return said


# ---------------------------------------------------------------------------- files


def _read_file(path: Path, wanted: Sequence[str]) -> Said:
    if not path.is_file():
        close = "" if path.suffix else did_you_mean(str(path), (FOLDERS, TEXTS))
        raise UserError(f"--labels {path}: no such file; or write {FOLDERS} or {TEXTS}{close}")
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise UserError(f"--labels {path}: cannot be read ({error})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"--labels {path}: is no text in UTF-8; save it as that") from error
    if path.suffix.lower() == ".json":
        return _choose(dict(_of_json(path, text)), wanted)
    return _of_csv(path, text, wanted)


def _of_csv(path: Path, text: str, wanted: Sequence[str]) -> Said:
    """A table with a header, its first column the names of images; or, without one, a name and its
    tags in each line."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text), strict=True) if any(row)]
    except csv.Error as error:
        raise UserError(f"--labels {path}: no table of comma-separated values ({error})") from error
    if not rows:
        raise UserError(f"--labels {path}: is empty")
    tags = len(rows[0]) == 2 and TAGGED.search(rows[0][1])
    header, rows = (["file", "tags"], rows) if tags else (rows[0], rows[1:])
    columns = [name.strip() for name in header]
    again = [name for name, count in Counter(columns).items() if count > 1]
    if len(columns) < 2 and any(sign in columns[0] for sign in ";\t"):
        raise UserError(f"--labels {path}: its cells must be separated by commas; save it so")
    if len(columns) < 2 or not all(columns):
        raise UserError(
            f"--labels {path}: its first row must name the column of files, and those of labels"
        )
    if again:
        raise UserError(f"--labels {path}: two columns are named {again[0]}")
    said: Said = {}
    for number, row in enumerate(rows, start=1 if tags else 2):
        if len(row) != len(header):
            raise UserError(
                f"--labels {path}: row {number} has {len(row)} cells, the first has {len(header)}"
            )
        if not row[0].strip():
            raise UserError(f"--labels {path}: row {number} names no file")
        if row[0] in said:
            raise UserError(
                f"--labels {path}: row {number}: {row[0]} is there already; the first column must "
                "be names of images"
            )
        said[row[0]] = dict(zip(header[1:], row[1:], strict=True))
    if tags:
        return _of_tags({name: row["tags"] for name, row in said.items()}, wanted)
    return _choose(said, wanted)


def _of_json(path: Path, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """StyleGAN's dataset.json: {"labels": [["a/b.png", 6], …]}, integers or vectors."""
    try:
        labels = json.loads(text)["labels"]
        vectors = [label for _, label in labels if isinstance(label, list)]
        one_hot = all(sorted(label) == [0] * (len(label) - 1) + [1] for label in vectors)
        for name, label in labels:
            if not isinstance(name, str):
                raise TypeError
            if isinstance(label, list):
                if one_hot:
                    yield name, {"class": str(label.index(1))}
                else:
                    yield name, {f"label_{i}": str(float(each)) for i, each in enumerate(label)}
            else:
                yield name, {"class": str(int(label))}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(
            f'--labels {path}: not {{"labels": [["a/b.png", 6], …]}}, as StyleGAN\'s dataset.json'
        ) from error


def _texts_beside(source: Path, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        try:
            text = read_image(source, str(PurePosixPath(name).with_suffix(".txt")))
        except BadImageError:
            continue
        yield name, text.decode(errors="replace")


def tags_of(text: str) -> dict[str, str]:
    """The colours of hair and eyes that tags tell, the first of each, and every tag as "yes".

    Tags are separated by commas: "aqua hair, red_eyes, smile". "aqua hair aqua eyes" is two.
    """
    tags = [tag.strip().replace(" ", "_") for tag in text.lower().split(",")]
    found = {tag: "yes" for tag in tags if tag}
    for colour, part in reversed(TAGGED.findall(text.lower())):
        found[part] = colour
    return found


def _of_tags(texts: Mapping[str, str], wanted: Sequence[str]) -> Said:
    """The colours of hair and eyes, if no tags are named: there may be thousands of others. A tag
    that is named is a label of two values: an image has it, or has not."""
    said = {name: tags_of(text) for name, text in texts.items()}
    common = Counter(tag for row in said.values() for tag in row).most_common()
    colours = [part for part in ("hair", "eyes") if part in dict(common)]
    if not (wanted or colours):
        tags = ", ".join(tag for tag, _ in common[:8]) or "no tag at all"
        raise UserError(
            f"--labels: no tag tells a colour of hair or eyes; choose by --label-columns: {tags}"
        )
    flags = [tag for tag, _ in common if tag in wanted and tag not in colours]
    return _choose(
        {n: {**dict.fromkeys(flags, "no"), **row} for n, row in said.items()}, wanted or colours
    )


def _choose(said: Said, wanted: Sequence[str]) -> Said:
    """The columns that are wanted, or all."""
    counts = Counter(column for row in said.values() for column in row)
    for column in wanted:
        if column not in counts:
            there = ", ".join(name for name, _ in counts.most_common(8))
            close = did_you_mean(column, counts)
            raise UserError(f"--label-columns {column}: there is none; there are {there}{close}")
    columns = wanted or list(counts)
    return {name: {c: row[c] for c in columns if c in row} for name, row in said.items()}
