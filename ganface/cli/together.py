"""Which options go together: a command says so in tables of flags, and is held to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from ganface.errors import UserError

Flags = Mapping[str, Sequence[str]]


def check_together(given: Mapping[str, Any], apart: Flags, needs: Flags) -> None:
    """Raise UserError for options that would do nothing, or not what was asked for.

    given: by flag, what was typed; None, False or nothing for what was not.
    apart: those of `given` that do not go with others. needs: those that need one of others.
    """
    # By identity: 0 is a value, and equal to False
    typed = {f: v for f, v in given.items() if v is not None and v is not False and v != []}
    for flag, others in apart.items():
        for other in others:
            if flag in typed and other in typed:
                raise UserError(f"{_shown(flag, typed[flag])}: does not go with {other}")
    for flag, others in needs.items():
        if flag in typed and not typed.keys() & set(others):
            raise UserError(
                f"{_shown(flag, typed[flag])}: does nothing without {' or '.join(others)}"
            )


def _shown(flag: str, value: Any) -> str:
    if value is True:
        return flag
    return f"{flag} {' '.join(map(str, value)) if isinstance(value, list) else value}"
