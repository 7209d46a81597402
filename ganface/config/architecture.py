"""Settings of the networks. Each network keeps the whole group, and can be built again from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ganface.config.settings import Settings, between, setting
from ganface.errors import UserError

SIZES = (32, 64, 128, 256)  # that networks are made for; packs may be of others
# Settings of D and E. Checkpoints of format 1 keep them among the run's settings
SEES_IMAGES = ("norm", "spectral_norm")


def check_size(size: int) -> None:
    """Raise UserError for a size that the networks cannot do."""
    if type(size) is not int or size not in SIZES:
        sizes = ", ".join(map(str, SIZES))
        raise UserError(f"--size {size}: DCGAN makes faces of {sizes} pixels; take the nearest")


def are_labels(value: Any) -> str | None:
    if value is None:
        return None
    lists = isinstance(value, dict) and all(
        isinstance(values, (list, tuple)) and all(isinstance(each, str) for each in values)
        for values in value.values()
    )
    return None if lists else "must be lists of values, by attribute"


@dataclass(frozen=True)
class DcganConfig(Settings):
    """Raises UserError for a size that is not in SIZES."""

    TITLE = "Networks"

    size: int = setting(64, "Side of the images; the dataset's.", flag=False)
    width: int = setting(64, "Channels of the layer next to the image.", between(1, 1024))
    z_dim: int = setting(100, "Length of the latent vector z.", between(1, 65_536))
    upsample: Literal["transposed", "nearest"] = setting(
        "nearest",
        "How G doubles the side: enlarge and convolve, or transposed convolutions.",
        before="transposed",
    )
    modulate: bool = setting(
        True, "Let z scale and shift the channels of every layer of G.", before=False
    )
    norm: Literal["batch", "none"] = setting("none", "D's normalisation.")
    spectral_norm: bool = setting(False, "Divide D's weights by their largest singular values.")
    labels: Mapping | None = setting(
        None, "Values that images may be labelled with, by attribute.", are_labels, flag=False
    )

    @property
    def label_values(self) -> int:
        """How many values there are, of all attributes."""
        return sum(map(len, (self.labels or {}).values()))

    def __post_init__(self) -> None:
        super().__post_init__()
        check_size(self.size)
        if self.labels:
            self.check_hears_labels()
        if self.spectral_norm and self.norm == "batch":
            raise UserError(
                "--spectral-norm: BatchNorm would scale the weights up again; add --norm none"
            )

    def check_hears_labels(self) -> None:
        """Raise UserError if labels could change nothing in G."""
        if not self.modulate:
            raise UserError(
                "--labels: G hears of them where z scales and shifts its layers, which "
                "--no-modulate and --preset dcgan forbid; leave them out"
            )


@dataclass(frozen=True)
class AscentSettings(Settings):
    """How an image is made by climbing D."""

    ascent_steps: int = setting(16, "Steps up D's gradient from noise to a face.", between(1, 1000))
    step_size: float = setting(
        4.0,
        "Length of such a step, of images in [-1, 1] and for a size of 64.",
        between(1e-6, 1e6),
    )


@dataclass(frozen=True)
class AscentConfig(AscentSettings, DcganConfig):
    """Settings of a D that draws. Raises UserError as DcganConfig does."""
