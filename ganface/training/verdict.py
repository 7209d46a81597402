"""stats.jsonl -> one plain sentence: is this training healthy, and if not, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

HISTORY = 100  # lines of stats.jsonl that a verdict looks at


@dataclass(frozen=True)
class Verdict:
    kind: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.advice}" if self.advice else self.kind


def judge(lines: Sequence[dict[str, Any]]) -> Verdict:
    return Verdict("healthy")
