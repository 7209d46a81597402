"""All settings of a training: a group for each subject, and the presets that cut across them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ganface.config.architecture import DcganConfig
from ganface.config.dataset import DataConfig
from ganface.config.hardware import HardwareConfig
from ganface.config.optimizer import OptimizerConfig
from ganface.config.schedule import ScheduleConfig
from ganface.config.settings import Settings, flag_of, setting
from ganface.errors import UserError
from ganface.latents.labels import Attributes
from ganface.methods.base import Method, MethodConfig
from ganface.methods.registry import METHODS

if TYPE_CHECKING:
    from ganface.system.device import Compute

# What each preset changes in the defaults
PRESETS: dict[str, dict[str, Any]] = {
    "best": {},
    # Radford, Metz and Chintala 2015
    "dcgan": {
        "loss": "ns",
        "r1": 0.0,
        "r2": 0.0,
        "norm": "batch",
        "beta1": 0.5,
        "beta2": 0.999,
        "lr_decay": 0,
        "augment": "off",
        "upsample": "transposed",
        "modulate": False,
    },
}


@dataclass(frozen=True)
class RecipeConfig(Settings):
    """What a training begins with."""

    TITLE = "Recipe"

    method: str = setting(
        "gan",
        "How G learns; the groups named after methods say what each does.",
        choices=tuple(METHODS),
        before="gan",
    )
    preset: str = setting(
        "best",
        "The defaults of the other settings: the best we know, or the DCGAN paper's.",
        choices=tuple(PRESETS),
    )
    init_from: str | None = setting(
        None,
        "Begin with the networks of this run, checkpoint or snapshot.",
    )


@dataclass(frozen=True)
class TrainConfig:
    """How a run trains. Every name is in one group alone, so that flags and files know no groups.

    Raises UserError for settings that contradict each other.
    """

    recipe: RecipeConfig
    schedule: ScheduleConfig
    data: DataConfig
    method: MethodConfig
    architecture: DcganConfig
    optimizer: OptimizerConfig
    hardware: HardwareConfig

    GROUPS: ClassVar[dict[str, type[Settings]]] = {
        "recipe": RecipeConfig,
        "schedule": ScheduleConfig,
        "data": DataConfig,
        "architecture": DcganConfig,
        "optimizer": OptimizerConfig,
        "hardware": HardwareConfig,
    }

    def __post_init__(self) -> None:
        self.method.check(self.architecture)
        name = self.recipe.method
        if self.schedule.keep_discriminator and "D" not in METHODS[name].networks:
            raise UserError(
                f"--keep-discriminator: --method {name} has no D beside G; leave it out"
            )

    @classmethod
    def of(cls, given: dict[str, Any]) -> TrainConfig:
        """The settings that were given, by name; for the others the preset's and the defaults.

        Raises UserError for a name that the method does not have.
        """
        recipe = RecipeConfig(**_pick(RecipeConfig, given))
        method = METHODS[recipe.method]
        groups = {**cls.GROUPS, "method": method.Config}
        known = {name for group in groups.values() for name in group.flags()}
        _refuse_unknown(given.keys() - known, recipe.method)
        wanted = {**method.Config.defaults(given), **PRESETS[recipe.preset], **given}
        made: dict[str, Any] = {
            name: group(**_pick(group, wanted)) for name, group in groups.items()
        }
        return cls(**made)

    @classmethod
    def stored(cls, settings: dict[str, Any]) -> TrainConfig:
        """The settings of a run's config.json, which an older ganface may have written.

        Raises UserError for a method or a setting that is not known here.
        """
        before: dict[str, Any] = {}
        for group in cls.GROUPS.values():
            before |= group.before()
        method = RecipeConfig(method=settings.get("method", before["method"])).method
        before |= METHODS[method].Config.before()
        return cls.of({**before, **settings})

    def flat(self) -> dict[str, Any]:
        """Every setting by name, as flags and files have them."""
        return {
            name: value
            for group in self.groups
            for name, value in dataclasses.asdict(group).items()
            if name in group.flags()
        }

    def unusual(self) -> dict[str, Any]:
        """The settings that are not the defaults of the method, by name; the method too, if it is
        not the default."""
        usual = TrainConfig.of({"method": self.recipe.method})
        found: dict[str, Any] = self.recipe.differing(RecipeConfig())
        for group, same in zip(self.groups, usual.groups, strict=True):
            if group is not self.recipe:
                found |= group.differing(same)
        return found

    @property
    def groups(self) -> tuple[Settings, ...]:
        return tuple(getattr(self, field.name) for field in dataclasses.fields(self))

    @property
    def method_class(self) -> type[Method]:
        return METHODS[self.recipe.method]

    def build_method(self, size: int, compute: Compute, labels: Attributes | None = None) -> Method:
        """The method, for images of `size` with such labels, if it uses any. Raises UserError if
        the networks cannot do them."""
        hears = self.method_class.uses_labels and self.architecture.modulate
        labels = labels if hears and labels else None
        architecture = dataclasses.replace(self.architecture, size=size, labels=labels)
        seed = self.schedule.seed
        return self.method_class(self.method, architecture, self.optimizer, seed, compute)

    @property
    def images_per_step(self) -> int:
        return self.optimizer.batch_size * self.method.batches_per_update


# Every group that the command line offers, each method's own among them
ALL_GROUPS: tuple[type[Settings], ...] = (
    *TrainConfig.GROUPS.values(),
    *(method.Config for method in METHODS.values()),
)


def _pick(group: type[Settings], values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in group.flags() if name in values}


def _refuse_unknown(names: set[str], method: str) -> None:
    for name in sorted(names):
        owners = [other for other, each in METHODS.items() if name in each.Config.flags()]
        if owners:
            raise UserError(f"{flag_of(name)}: is for --method {' or '.join(owners)}, not {method}")
        raise UserError(f"unknown setting {name}")
