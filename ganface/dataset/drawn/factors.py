"""What makes one drawn face."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

HAIR_STYLES = ("straight", "swept", "parted")
HAIR_TIES = ("loose", "twintails", "ponytail")
EYES = ("open", "closed", "wink")
GLASSES = ("none", "round", "square")
ACCESSORIES = ("none", "bow", "flower", "band", "ears")
COLLARS = ("shirt", "sailor", "scarf")


@dataclass(frozen=True)
class Factors:
    """Everything that makes one drawn face. Where nothing else is said, from 0 to 1."""

    hair_hue: float  # on the colour wheel
    hair_lightness: float
    hair_length: float  # from the jaw to below the image
    hair_style: str  # of the fringe, one of HAIR_STYLES
    hair_tie: str  # one of HAIR_TIES
    eye_hue: float
    eye_roundness: float
    eye_slant: float  # -1: outer corners hang, 1: they rise
    mouth_opening: float
    skin: float  # from light to dark
    tilt: float  # degrees, clockwise
    background_hue: float
    turn: float  # of the head: -1: to the left, 1: to the right
    light: float  # where it comes from: -1: from the left, 1: from the right
    face_roundness: float  # from a pointed chin to round cheeks
    eyes: str  # one of EYES
    smile: float
    blush: float
    glasses: str  # one of GLASSES
    accessory: str  # in the hair, one of ACCESSORIES
    accent_hue: float  # of the hair's ties and accessory, and of what is worn at the neck
    collar: str  # one of COLLARS
    cloth_hue: float

    @classmethod
    def draw(cls, random: Random) -> Factors:
        """Factors by chance; hair is more often brown and fair than green.

        What hides or changes the eyes is rare, so that a small GAN sees enough plain ones.
        """
        hue = random.choice([random.uniform(0.02, 0.13), random.uniform(0.5, 0.98)])
        return cls(
            hair_hue=round(hue, 4),
            hair_lightness=round(random.random(), 4),
            hair_length=round(random.random(), 4),
            hair_style=random.choice(HAIR_STYLES),
            hair_tie=random.choices(HAIR_TIES, (3, 1, 1))[0],
            eye_hue=round(random.random(), 4),
            eye_roundness=round(random.random(), 4),
            eye_slant=round(random.uniform(-1, 1), 4),
            mouth_opening=round(max(0.0, random.uniform(-0.6, 1)), 4),
            skin=round(random.random() ** 2, 4),
            tilt=round(random.uniform(-14, 14), 4),
            background_hue=round(random.random(), 4),
            turn=round(random.uniform(-1, 1), 4),
            light=round(random.uniform(-1, 1), 4),
            face_roundness=round(random.random(), 4),
            eyes=random.choices(EYES, (46, 3, 1))[0],
            smile=round(random.random(), 4),
            blush=round(random.random(), 4),
            glasses=random.choices(GLASSES, (18, 1, 1))[0],
            accessory=random.choices(ACCESSORIES, (12, 1, 1, 1, 1))[0],
            accent_hue=round(random.random(), 4),
            collar=random.choice(COLLARS),
            cloth_hue=round(random.random(), 4),
        )


def factors_of(seed: int, index: int) -> Factors:
    """The factors of face `index`, whatever the number of faces."""
    return Factors.draw(Random(f"{seed}/{index}"))
