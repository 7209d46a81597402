"""Each setting once: its default, its check and its help text.

The command line is made from these classes (see `ganface.cli.settings`), a run stores them in its
`config.json`, and whoever builds one in Python gets the same checks.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from ganface.errors import UserError

SIZES = (32, 64, 128)  # that networks are made for; packs may be of others

Check = Callable[[Any], str | None]  # what is wrong with a value, or None


def at_least(low: float) -> Check:
    return lambda value: None if low <= value < math.inf else f"must be at least {low}, and finite"


def between(low: float, high: float) -> Check:
    return lambda value: None if low <= value <= high else f"must lie between {low} and {high}"


a_rate = between(1e-8, 1)


def optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def any_value(_: object) -> None:
    return None


def is_colour(value: str) -> str | None:
    from PIL import ImageColor

    try:
        ImageColor.getrgb(value)
    except ValueError:
        return "is no colour; write a name or a code, such as white or #ffeedd"
    return None


def parse_integers(flag: str, text: str, low: int = 0) -> tuple[int, ...]:
    """Read "0-3,9" as (0, 1, 2, 3, 9). Raises UserError, which names `flag`."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UserError(f"{flag} {text}: write numbers and ranges, such as 0-63,99")
        start, end = int(first), int(last or first)
        if end < start:
            raise UserError(f"{flag} {text}: the range {part.strip()} runs backwards")
        if start < low or end >= 2**63 or end - start >= 1_000_000:
            raise UserError(f"{flag} {text}: {part.strip()} is out of bounds")
        numbers += range(start, end + 1)
    return tuple(numbers)


def check_size(size: int) -> None:
    """Raise UserError for a size that the networks cannot do."""
    if type(size) is not int or size not in SIZES:
        raise UserError(f"--size {size}: DCGAN makes faces of {', '.join(map(str, SIZES))} pixels")


def setting(
    default: Any, help: str, check: Check = any_value, may_change: bool = False, before: Any = None
) -> Any:
    """A field of a settings class. `may_change`: a resumed run may be given another value.

    `before`: what runs did that know nothing of this setting, if that is not its default.
    """
    metadata = {"help": help, "check": check, "may_change": may_change, "before": before}
    return dataclasses.field(default=default, metadata=metadata)


def flag_of(name: str) -> str:
    return "--" + name.replace("_", "-")


def is_of_type(value: object, annotation: Any) -> bool:
    """Whether a value, which a file of anybody's may hold, is of a setting's type."""
    if get_origin(annotation) is Literal:
        return value in get_args(annotation)
    kinds = get_args(annotation) or (annotation,)  # float | None has two
    if isinstance(value, bool):  # which Python counts among the integers
        return bool in kinds
    return isinstance(value, (*kinds, int) if float in kinds else kinds)


@dataclass(frozen=True)
class Settings:
    """Raises UserError if a value is not of its field's type, or fails its check."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not is_of_type(value, field.type):
                raise UserError(f"{flag_of(field.name)} {value}: not of the right type")
            problem = field.metadata["check"](value)
            if problem:
                raise UserError(f"{flag_of(field.name)} {value}: {problem}")


@dataclass(frozen=True)
class BuildConfig(Settings):
    """How images become a pack. Every setting changes the pack's content."""

    size: int = setting(64, "Side of the square images, in pixels.", between(8, 1024))
    crop: Literal["center", "none"] = setting(
        "center", "Cut the centre square out of each image, or squeeze the whole into a square."
    )
    background: str = setting("white", "Colour behind transparent images.", is_colour)
    dedupe: Literal["exact", "near", "off"] = setting(
        "exact", "Drop images equal in every pixel, those that nearly are as well, or none."
    )
    max_bad: float = setting(
        5.0,
        "Give up when more than this percentage of the images is bad.",
        between(0, 100),
        may_change=True,
    )


@dataclass(frozen=True)
class DeviceConfig(Settings):
    device: Literal["auto", "cpu", "cuda", "mps"] = setting(
        "auto", "Where to compute; auto takes a GPU if there is one.", may_change=True
    )


@dataclass(frozen=True)
class TrainConfig(DeviceConfig):
    """How a run trains. The defaults are those of the preset `best`; `of` takes them from another.

    Raises UserError for settings that make no sense together.
    """

    preset: Literal["best", "dcgan"] = setting(
        "best", "Defaults of what follows: the best we know, or the DCGAN paper's."
    )
    steps: int = setting(50_000, "Updates of D and G to train for.", at_least(1), may_change=True)
    init_from: str | None = setting(
        None,
        "Begin with the networks of this run, checkpoint or snapshot.",
        may_change=True,  # it is of no use once the run has begun
    )
    batch_size: int = setting(64, "Images per update.", at_least(2))
    width: int = setting(64, "Channels of the layer next to the image.", between(1, 1024))
    z_dim: int = setting(100, "Length of the latent vector z.", between(1, 65_536))
    loss: Literal["ns", "saturating", "lsgan", "hinge", "wgan-gp", "rpgan"] = setting(
        "hinge", "What D and G are after."
    )
    r1: float = setting(
        0.2, "Weight of R1, D's gradient at real images; for a size of 64.", at_least(0)
    )
    r2: float = setting(0.0, "Weight of R2, D's gradient at generated images.", at_least(0))
    norm: Literal["batch", "none"] = setting("batch", "D's normalisation.")
    spectral_norm: bool = setting(False, "Divide D's weights by their largest singular values.")
    d_steps: int = setting(1, "Updates of D for each of G.", between(1, 100))
    lr: float = setting(2e-4, "Adam's learning rate, for D and for G.", a_rate)
    lr_d: float | None = setting(None, "D's learning rate, if not --lr.", optional(a_rate))
    lr_g: float | None = setting(None, "G's learning rate, if not --lr.", optional(a_rate))
    lr_decay: int = setting(
        2000,
        "Step from which on learning rates fall, as 1/√step; 0: they stay.",
        at_least(0),
        before=0,
    )
    beta1: float = setting(0.5, "Adam's beta1.", between(0, 0.9999))
    beta2: float = setting(0.999, "Adam's beta2.", between(0, 0.999999))
    augment: Literal["off", "on", "adaptive"] = setting(
        "adaptive",
        "Show D images changed at random: never, always, or as often as it gets too much right.",
    )
    upsample: Literal["transposed", "nearest"] = setting(
        "nearest", "How G doubles the side: enlarge and convolve, or transposed convolutions."
    )
    modulate: bool = setting(True, "Let z scale and shift the channels of every layer of G.")
    ema_decay: float = setting(
        0.999, "Decay of G_ema, the average of G that draws every picture.", between(0, 0.999999)
    )
    flip: bool = setting(True, "Mirror half of the training images.")
    seed: int = setting(0, "Seeds the run: weights, order of the images, z.", between(0, 2**63 - 1))
    precision: Literal["auto", "fp32", "bf16", "fp16"] = setting(
        "auto", "Arithmetic; auto takes bf16 where the hardware has it, fp16 on older GPUs."
    )
    deterministic: bool = setting(
        False, "On a GPU, give the same bits every time, at some cost in speed; a CPU always does."
    )
    sync_batchnorm: bool = setting(
        False, "With several GPUs, take BatchNorm's statistics from the whole batch."
    )
    compile: Literal["auto", "on", "off"] = setting(
        "auto",
        "Compile the CPU's kernels; auto does so for 100 steps or more, if there is a C compiler.",
        may_change=True,
    )
    evaluate_every: int = setting(
        1000,
        "Steps between scores of G_ema, of which the best is kept; 0 for none.",
        at_least(0),
        may_change=True,
    )
    seeds: str = setting("0-63", "The faces of every grid.")
    milestones: str = setting(
        "100,1000,2000,5000,10000,20000,50000",
        "Steps at which a grid and a snapshot are kept.",
        may_change=True,
    )
    checkpoint_every: int = setting(500, "Steps between checkpoints.", at_least(1), may_change=True)
    keep: int = setting(3, "Checkpoints to keep, the newest ones.", at_least(1), may_change=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.grid_seeds, self.milestone_steps  # their texts are checked by reading them
        for problem, reason in self._contradictions().items():
            if reason:
                raise UserError(f"{problem}: {reason}")

    def _contradictions(self) -> dict[str, str | None]:
        """Settings that do not go together, and why, if they were chosen."""
        batch, penalty = self.norm == "batch", bool(self.r1 or self.r2)
        return {
            "--loss wgan-gp": (
                "it bounds the gradient at each image, and BatchNorm mixes images; add --norm none"
                if self.loss == "wgan-gp" and batch
                else None
            ),
            "--loss wgan-gp with --r1, --r2": (
                "one wants gradients of length 1, the other of 0; leave --r1 and --r2 out"
                if self.loss == "wgan-gp" and penalty
                else None
            ),
            "--spectral-norm": (
                "BatchNorm would scale the weights up again; add --norm none"
                if self.spectral_norm and batch
                else None
            ),
        }

    @classmethod
    def of(cls, given: dict[str, Any]) -> "TrainConfig":
        """The preset's settings, with the given ones in their place."""
        defaults = dict(PRESETS[given.get("preset", "best")])
        if given.get("loss") == "wgan-gp":
            defaults["r1"] = 0.0  # it has a penalty of its own
        return cls(**{**defaults, **given})

    @classmethod
    def stored(cls, settings: dict[str, Any]) -> "TrainConfig":
        """The settings of a run's config.json, which an older ganface may have written."""
        before = {f.name: f.metadata["before"] for f in dataclasses.fields(cls)}
        known = {name: value for name, value in before.items() if value is not None}
        return cls(**{**known, **settings})

    @property
    def rate_D(self) -> float:
        return self.lr if self.lr_d is None else self.lr_d

    @property
    def rate_G(self) -> float:
        return self.lr if self.lr_g is None else self.lr_g

    @property
    def images_per_step(self) -> int:
        return self.batch_size * self.d_steps

    @property
    def grid_seeds(self) -> tuple[int, ...]:
        return parse_integers("--seeds", self.seeds)

    @property
    def milestone_steps(self) -> tuple[int, ...]:
        """The milestones that this run reaches, in order, its last step among them."""
        steps = parse_integers("--milestones", self.milestones, low=1)
        return tuple(sorted({step for step in steps if step < self.steps} | {self.steps}))


# What each preset changes in TrainConfig's defaults
PRESETS: dict[str, dict[str, Any]] = {
    "best": {},
    # Radford, Metz and Chintala 2015
    "dcgan": {
        "loss": "ns",
        "r1": 0.0,
        "lr_decay": 0,
        "augment": "off",
        "upsample": "transposed",
        "modulate": False,
    },
}


def changed_settings(old: Settings, new: dict[str, Any]) -> list[str]:
    """The settings in `new` that differ from `old` and would change the training, a line each."""
    fixed = [field.name for field in dataclasses.fields(old) if not field.metadata["may_change"]]
    return [
        f"{flag_of(name)} was {getattr(old, name)}, now {new[name]}"
        for name in fixed
        if name in new and new[name] != getattr(old, name)
    ]
