"""Settings of the schedule: how long to train, and what is kept when."""

from dataclasses import dataclass

from ganface.config.settings import (
    Settings,
    at_least,
    between,
    optional,
    parse_integers,
    setting,
)

CHECKPOINT_EVERY, CHECKPOINTS_APART = 500, 10  # steps, seconds


@dataclass(frozen=True)
class ScheduleConfig(Settings):
    TITLE = "Schedule"

    steps: int = setting(50_000, "Updates to train for.", at_least(1), may_change=True)
    minutes: float | None = setting(
        None,
        "End after so many minutes of training, with those before a --resume, if --steps are not "
        "done before.",
        optional(at_least(0.001)),
        may_change=True,
    )
    milestones: str = setting(
        "100,1000,2000,5000,10000,20000,50000",
        "Steps at which a grid and a snapshot are kept.",
        may_change=True,
    )
    seeds: str = setting("0-63", "The faces of every grid.")
    evaluate_every: int = setting(
        1000,
        "Steps between scores of G_ema, by which the best is kept; 0 for none.",
        at_least(0),
        may_change=True,
    )
    checkpoint_every: int | None = setting(
        None,
        f"Steps between checkpoints. If not given: {CHECKPOINT_EVERY}, but no more often than "
        f"every {CHECKPOINTS_APART} seconds.",
        optional(at_least(1)),
        may_change=True,
    )
    keep: int = setting(3, "Checkpoints to keep, the newest ones.", at_least(1), may_change=True)
    keep_discriminator: bool = setting(
        False,
        "Keep D in snapshots too, for ganface judge; they are about twice as large.",
        may_change=True,
    )
    page: bool = setting(
        False,
        "Keep index.html up to date, a page about the training; ganface watch writes the same.",
        may_change=True,
    )
    tensorboard: bool = setting(
        False, "Write TensorBoard's event files too, to RUN/tensorboard.", may_change=True
    )
    seed: int = setting(0, "Seeds the run: weights, order of the images, z.", between(0, 2**63 - 1))

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.grid_seeds, self.milestone_steps  # their texts are checked by reading them

    def is_over(self, step: int, seconds: float) -> bool:
        """Whether `step` updates, which took so many seconds of training, are all there is."""
        out_of_time = self.minutes is not None and seconds >= 60 * self.minutes
        return step >= self.steps or out_of_time

    def checkpoint_due(self, step: int, seconds: float) -> bool:
        """Whether to save one after `step`, `seconds` after the last one."""
        if self.checkpoint_every is not None:
            return step % self.checkpoint_every == 0
        return step % CHECKPOINT_EVERY == 0 and seconds >= CHECKPOINTS_APART

    @property
    def grid_seeds(self) -> tuple[int, ...]:
        return parse_integers("--seeds", self.seeds)

    @property
    def milestone_steps(self) -> tuple[int, ...]:
        """The milestones that all --steps reach, in order, the last step among them."""
        steps = parse_integers("--milestones", self.milestones, low=1)
        return tuple(sorted({step for step in steps if step < self.steps} | {self.steps}))
