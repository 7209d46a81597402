"""Settings of the dataset: how images become a pack, and how a training reads them."""

from dataclasses import dataclass
from typing import Literal

from ganface.config.architecture import SIZES
from ganface.config.settings import Settings, between, setting
from ganface.errors import UserError

FOLDERS, TEXTS = "folders", "txt"  # what --labels may be beside a file
FACTORS = "factors.csv"  # what `ganface dataset demo` writes beside its faces
LABELLING = ("labels", "label_columns")  # settings of which a pack keeps what came of them


def is_colour(value: str) -> str | None:
    from PIL import ImageColor

    try:
        ImageColor.getrgb(value)
    except ValueError:
        return "is no colour; write a name or a code, such as white or #ffeedd"
    return None


@dataclass(frozen=True)
class BuildConfig(Settings):
    """How images become a pack, which holds these settings too."""

    TITLE = "Dataset"

    size: int = setting(
        64,
        f"Side of the square images; there are networks for {', '.join(map(str, SIZES))} pixels.",
        between(8, 1024),
    )
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
    )
    labels: str | None = setting(
        None,
        f"What images show: '{FOLDERS}', each a class; a .csv by file name; StyleGAN's "
        f"dataset.json; or '{TEXTS}', tags beside the images.",
        may_change=True,  # the file may have moved
    )
    label_columns: str = setting(
        "", "Which columns or tags of --labels; all if not given.", may_change=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_columns and self.labels is None:
            raise UserError(f"--label-columns {self.label_columns}: does nothing without --labels")


@dataclass(frozen=True)
class DataConfig(Settings):
    """How a training reads a pack."""

    TITLE = "Dataset"

    flip: bool = setting(True, "Mirror half of the training images.")
