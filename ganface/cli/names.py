"""What results are called where --out was not given: after what they show, and never as one that
is there."""

from collections.abc import Iterable
from itertools import count
from pathlib import Path

from ganface.io.folders import as_file_name, check_writable, name_of

LONGEST = 40  # letters of a list of seeds, or of what is asked of faces, in a name


def name_result(model: Path, path: Path, *parts: str) -> str:
    """Such as "my-faces-step-004000-seeds-0-63". model: what the user gave; path: the file of it
    that was taken. Imports no torch."""
    from ganface.models.header import read_model_header

    name, step = name_of(model), f"step-{read_model_header(path).meta['step']:06d}"
    return "-".join([name, *([] if name.endswith(step) else [step]), *parts])


def name_faces(seeds: str | None, latents: Path | None) -> str:
    """The part of a name that says which faces those are."""
    if latents is not None:
        return f"latents-{name_of(latents)}"
    text = "".join((seeds or "").split())
    if len(text) > LONGEST:
        text = f"{text[:LONGEST].rpartition(',')[0] or text[:LONGEST]},more"
    return f"seeds-{text}"


def name_orders(texts: Iterable[str]) -> list[str]:
    """Parts of a name that say what is asked of faces, such as --label hair=aqua or --move tilt=2.

    A `*` is "all"; what some file systems cannot write is "_".
    """
    return [as_file_name(text.replace("*", "all"))[:LONGEST] for text in texts]


def free_paths(stem: str, *suffixes: str) -> list[Path]:
    """A file of that name for each suffix; numbered, all alike, if one of them is there.

    Raises UserError if they could not be written.
    """
    check_writable(Path(stem))
    for number in count(1):
        name = stem if number == 1 else f"{stem}-{number}"
        paths = [Path(name + suffix) for suffix in suffixes]
        if not any(path.exists() for path in paths):
            return paths
    raise AssertionError("numbers do not end")
