from pathlib import Path

import pytest

from ganface.lecture.trainings import COMMON, PARTS, command_of
from ganface.training.config import TrainConfig


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_settings_of_each_training_are_such(part):
    config = TrainConfig.of({**COMMON, **part.settings})
    assert config.architecture.width == 32


def test_the_command_is_what_a_user_would_type():
    commands = {part.name: command_of(part, Path("my-faces")) for part in PARTS}
    assert commands["gan"] == ["ganface", "train", "my-faces"]
    assert commands["codes-pca"][3:] == ["--method", "codes", "--codes", "pca"]
    assert len(commands) == len(PARTS)


def test_codes_that_are_compared_are_trained_for_as_long():
    assert len({part.share for part in PARTS if part.name.startswith("codes-")}) == 1
