"""What a method is: how a generator learns, in one file of this folder.

The training loop, the checkpoint, the CUDA graph, the pictures and the display know no G and no D.
They know a `TrainState` with named parts, and this interface. Methods are imported without PyTorch,
for the command line asks them for their settings, and `ganface plot` for their figures: a method's
file imports torch inside the functions that compute.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ganface.config.architecture import DcganConfig
from ganface.config.optimizer import OptimizerConfig
from ganface.config.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.amp import GradScaler
    from torch.optim import Adam

    from ganface.dataset.pack import Pack
    from ganface.methods.probe import Probe
    from ganface.methods.verdict import Verdict
    from ganface.models.dcgan import DcganNetwork
    from ganface.system.device import Compute


def leave_gradients(network: nn.Module) -> None:
    """Does nothing: for a process that trains alone."""


@dataclass
class TrainState:
    """Everything that changes while training, by name."""

    networks: dict[str, nn.Module]
    optimizers: dict[str, Adam]  # by the name of the network that each one moves
    ema: dict[str, DcganNetwork]  # the averages that draw, by the name of the network they follow
    tensors: dict[str, Tensor]  # what else an update changes, in place
    scaler: GradScaler
    step: int = 0
    summed: int = 0  # updates since the last line of stats.jsonl
    seconds: float = 0.0
    lowest: float | None = None  # score so far
    meta: dict[str, Any] = field(default_factory=dict)  # what stays the same all through the run
    # Of several processes: makes the network's gradients, in place, the mean of all processes'
    average_gradients: Callable[[nn.Module], None] = leave_gradients


class Batch(NamedTuple):
    """What one pass over B images is given."""

    reals: Tensor  # float32 [B, 3, H, W] in [-1, 1]
    indices: Tensor  # int64 [B]: which images of the dataset these are
    noise: dict[str, Tensor]  # what `Method.noise` draws and `Method.labels` says, [B, …] each


class Sheet(NamedTuple):
    """Images that are drawn as a grid."""

    images: Tensor  # uint8 [N, 3, H, W]
    columns: int


class Footprint(NamedTuple):
    """What an update holds in memory at its peak, for the estimate before a training begins."""

    passes: tuple[tuple[str, int], ...]  # network, passes of it whose gradients are to come
    penalties: tuple[tuple[str, float], ...] = ()  # likewise, of which gradients of gradients are
    image_copies: int = 0  # batches of float32 images beside those that are given
    numbers_per_image: int = 0  # float32, that a checkpoint holds for each image of the dataset


class Panel(NamedTuple):
    """What `ganface plot` draws into one chart."""

    title: str
    lines: dict[str, str]  # figure -> what it is called
    limits: tuple[float, float] | None = None  # of the y axis; from the lines if not given
    log: bool = False
    shares: bool = False  # y is to be read in per cent


@dataclass(frozen=True)
class MethodConfig(Settings):
    """A method's own settings."""

    @classmethod
    def defaults(cls, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG003
        """Defaults of the method in place of any group's, where `given` was asked for."""
        return {}

    def check(self, architecture: DcganConfig) -> None:
        """Raise UserError if this contradicts the settings of the networks."""

    @property
    def batches_per_update(self) -> int:
        return 1


class Method(ABC):
    """How a generator learns. One object belongs to one training."""

    name: ClassVar[str]
    title: ClassVar[str]  # what it is called in a sentence
    networks: ClassVar[tuple[str, ...]]  # what it trains, of the architecture's
    frozen: ClassVar[tuple[str, ...]] = ()  # of another training: used, and never changed
    averaged: ClassVar[tuple[str, ...]] = ("G",)  # those of which there is an average that draws
    Config: ClassVar[type[MethodConfig]]
    metrics: ClassVar[tuple[str, ...]]  # what `update` returns
    diagnostics: ClassVar[tuple[str, ...]]  # what `diagnose` returns
    may_be_missing: ClassVar[frozenset[str]] = frozenset()  # diagnostics of held-out images
    uses_labels: ClassVar[bool] = False  # whether what images are labelled with changes anything
    display: ClassVar[str]  # a format of metrics, for the line on the terminal
    panels: ClassVar[tuple[Panel, ...]]  # of `ganface plot`

    def __init__(
        self,
        config: Any,  # an object of the method's own Config
        architecture: DcganConfig,
        optimizer: OptimizerConfig,
        seed: int,
        compute: Compute,
    ) -> None:
        self.config = config
        self.architecture = architecture
        self.optimizer = optimizer
        self.seed = seed
        self.compute = compute

    @abstractmethod
    def build(self) -> TrainState:
        """The state at step 0, on the device: a function of the settings and the seed."""

    def start(self, state: TrainState) -> list[str]:  # noqa: ARG002
        """Give the state of step 0 what it has from other trainings, and say what, a line each."""
        return []

    def prepare(self, state: TrainState, pack: Pack) -> None:  # noqa: B027
        """Add to the state of step 0 what there is for each image of the dataset."""

    @abstractmethod
    def update(self, state: TrainState, batches: list[Batch], apply_reg: bool) -> Tensor:
        """Update every network once, in place. Returns the metrics: float32 [len(metrics)].

        batches: as many as Config.batches_per_update. apply_reg: see `reg_interval`. A CUDA graph
        repeats what this does: it must not look at the values of tensors.
        """

    @abstractmethod
    def diagnose(self, state: TrainState, probe: Probe) -> Tensor:
        """The diagnostics, float32 [len(diagnostics)]. Must change nothing in `state`."""

    @abstractmethod
    def recalibrate(self, state: TrainState, probe: Probe) -> None:
        """Measure the BatchNorm statistics of the averages anew, before they draw."""

    @abstractmethod
    def footprint(self) -> Footprint: ...

    @classmethod
    @abstractmethod
    def judge(cls, lines: Sequence[dict[str, Any]]) -> Verdict:
        """The verdict on a training by its lines of stats.jsonl, or by those that are relevant."""

    @classmethod
    @abstractmethod
    def relevant(cls, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those of `lines` that this verdict, or a later one, looks at."""

    @property
    def reg_interval(self) -> int:
        """Every so many updates `apply_reg` is true; 0 if all updates are the same."""
        return 0

    def noise(self, step: int, count: int) -> dict[str, Tensor]:  # noqa: ARG002
        """What is random in update `step`, for `count` images: a function of (seed, step) alone."""
        return {}

    def random_z(self, step: int, count: int) -> Tensor:
        """Of update `step`, from N(0, I): float32 [count, z_dim]."""
        from ganface.latents import rng

        return rng.normal(self.seed, "z", step, count, self.architecture.z_dim)

    def labels(self, step: int, labels: Tensor) -> dict[str, Tensor]:  # noqa: ARG002
        """What update `step` is told of its images: numbers [count, …], beside the noise.

        labels: uint8 [count, A] of these images, as `Pack.labels` has them.
        """
        return {}

    def rates(self) -> dict[str, float]:
        """The learning rate of each optimiser, before it decays."""
        return dict.fromkeys(self.networks, self.optimizer.lr)

    def report(self, state: TrainState) -> dict[str, Tensor]:  # noqa: ARG002
        """Figures beside the metrics, each float32 [], as they are now."""
        return {}

    def pictures(self, state: TrainState, probe: Probe) -> dict[str, Sheet]:  # noqa: ARG002
        """What a milestone draws beside the grid of G_ema's faces, by the name of its folder."""
        return {}
