"""The errors that a user can cause. Each is one line: what is wrong, where, and what to do.

Anything else that is raised is a fault of ours and keeps its traceback.
"""

import difflib
import re
from collections.abc import Iterable

LIKENESS = 0.4  # from which on a name may be what another was meant to be, as difflib counts it


class UserError(Exception):
    """Refused before any work: a wrong flag, path, value or file."""

    exit_code = 2


class WorkError(UserError):
    """The work failed after it began."""

    exit_code = 1


class CannotWriteError(WorkError):
    """A file could not be written, most often because the disk is full."""


class Interrupted(UserError):
    """A signal stopped the work in good order; the message says how to go on."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number


class NotANumber(WorkError):
    """An update gave NaN or infinity, and what follows from it is worth nothing."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """The end of a message about a name that is not known: the nearest that is, if one is near."""
    near = difflib.get_close_matches(given, list(known), 1, LIKENESS)
    return f"; did you mean {near[0]}?" if near else ""


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether Python, or PyTorch on any device, found no more memory, or failed for that."""
    signs = ("out of memory", "allocate memory", "not enough memory", "bad_alloc", "ALLOC_FAILED")
    if isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs):
        return True
    return isinstance(error, MemoryError) or (
        error is not None and is_out_of_memory(error.__context__)
    )


def describe_out_of_memory(error: BaseException) -> str:
    """What to tell the user of an error for which `is_out_of_memory` holds."""
    size = re.search(r"tried to allocate ([\d.]+ \w+)", str(error), re.IGNORECASE)
    more = f" ({size[1]} more are not there)" if size else ""
    return f"out of memory{more}; end other programs, or ask for less"
