"""What goes along with a training beside the display, and is told what the display is told."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from ganface.config.schedule import ScheduleConfig
from ganface.errors import UserError
from ganface.io.run import Run


class Follower(Protocol):
    """Told of a training from the thread that writes its files, not from the one that trains; of
    its end from that."""

    def tick(self, line: dict[str, Any]) -> None:
        """A line was written to stats.jsonl."""

    def milestone(self, step: int, picture: Path) -> None:
        """The grid of a milestone was drawn."""

    def close(self) -> None:
        """The training is over, or has ended otherwise."""


def check_followers(schedule: ScheduleConfig) -> None:
    """Raise UserError if one that is wanted cannot be had."""
    if schedule.tensorboard and find_spec("tensorboard") is None:
        raise UserError(
            "--tensorboard: needs the optional extra, pip install 'ganface[tensorboard]'"
        )


def followers_of(run: Run, schedule: ScheduleConfig, step: int) -> list[Follower]:
    """Those that are wanted, for a training that is at `step` now."""
    followers: list[Follower] = []
    if schedule.page:
        from ganface.training.page import RunPage

        followers.append(RunPage(run))
    if schedule.tensorboard:
        from ganface.training.tensorboard import EventFiles

        followers.append(EventFiles(run.tensorboard, step))
    return followers
