"""A training as TensorBoard's event files: what stats.jsonl holds, and the grids of milestones.

Needs the tensorboard package; `followers.check_followers` says so before any work.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from ganface.pictures.png import open_png

WAITING, SECONDS = 1000, 5  # events that may wait for the disk, and how long they do at most


class EventFiles:
    """Writes event files to a folder, after those that are there.

    Once a training goes back to an earlier step, TensorBoard forgets what came after it.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._folder = folder
        self._step = step
        self._writer = self._open()

    def tick(self, line: dict[str, Any]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        step = line["step"]
        if step <= self._step:  # it came to no number, and went back
            self._writer.close()
            self._step = step - 1
            self._writer = self._open()
        self._step = step
        values = [
            Summary.Value(tag=name, simple_value=value)
            for name, value in line.items()
            if name != "step" and isinstance(value, (int, float))
        ]
        # All in one event: an event for each would take ten times as long
        file = self._writer.file_writer
        assert file, "open until close"
        file.add_summary(Summary(value=values), step)

    def milestone(self, step: int, picture: Path) -> None:
        import numpy

        pixels = numpy.asarray(open_png(picture).convert("RGB"))
        self._writer.add_image("faces", pixels, step, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()

    def _open(self) -> SummaryWriter:
        first = self._step + 1
        return SummaryWriter(
            str(self._folder), purge_step=first, max_queue=WAITING, flush_secs=SECONDS
        )
