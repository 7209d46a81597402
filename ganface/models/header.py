"""What a snapshot or checkpoint must say for its networks to be built, judged from its header.

It takes no PyTorch, so that a file which somebody else made is refused before anything is loaded.
Whether its tensors have the shapes of these networks is seen before they are read, in `snapshot`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganface.config.architecture import DcganConfig
from ganface.errors import UserError
from ganface.io.tensors import Header, read_header
from ganface.models.registry import read_description
from ganface.system.free_memory import available, in_words


def prefix_of(meta: dict[str, Any], role: str) -> str:
    """What the names of the tensors of the averaged G or E, or of D itself, begin with.

    The D that is within an ascent is the averaged one.
    """
    if role == "D" and meta["generator"]["architecture"] == "ascent":
        return f"{prefix_of(meta, 'G')}D."
    if meta["kind"] == "checkpoint":
        return f"{role}." if role == "D" else f"{role}_ema."
    return "" if meta["version"] == 1 else f"{role}."


def read_model_header(path: Path) -> Header:
    """The header of a snapshot or checkpoint. Raises UserError if its generator cannot be drawn."""
    header = read_header(path, "snapshot", "checkpoint")
    needed, free = 2 * path.stat().st_size, available()  # the file, and its tensors
    if free is not None and needed > free:
        raise UserError(
            f"{path}: takes {in_words(needed)} of memory, and {in_words(free)} are free"
        )
    try:
        step = header.meta["step"]
        read_description(header.meta["generator"])
        if type(step) is not int or step < 0:
            raise ValueError
    except UserError as error:
        raise UserError(f"{path}: its generator cannot be made ({error})") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: does not say how its generator is made") from error
    return header


def read_architecture(path: Path) -> DcganConfig:
    """What the networks of a snapshot or checkpoint are built by. Raises as `read_model_header`."""
    return read_description(read_model_header(path).meta["generator"])
