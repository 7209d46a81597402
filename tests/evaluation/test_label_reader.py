import pytest
import torch
from PIL import Image

from ganface.config.dataset import BuildConfig
from ganface.dataset.label_numbers import LabelNumbers
from ganface.errors import UserError
from ganface.evaluation.label_reader import LEAST, learn_labels

CONFIG = BuildConfig(size=32)
COUNT = 120


@pytest.fixture(autouse=True)
def _fewer_updates(monkeypatch):
    monkeypatch.setattr("ganface.evaluation.label_reader.UPDATES", 100)


@pytest.fixture
def striped(tmp_path):
    """Images that are bright on the left as their number says, and of any brightness right."""
    folder = tmp_path / "faces"
    (folder / "sub").mkdir(parents=True)
    dice = torch.Generator().manual_seed(0)
    for number in range(COUNT):
        image = Image.new("L", (32, 32), int(torch.randint(256, (), generator=dice)))
        image.paste(2 * number, (0, 0, 16, 32))
        image.convert("RGB").save(folder / "sub" / f"{number}.png")
    return folder


def labels(*numbers, **columns):
    files = [f"sub/{number}.png" for number in numbers]
    return LabelNumbers(
        files, {"left": [float(n) for n in numbers], **columns}, {"left": "l", "odd": "o"}
    )


def test_a_label_is_read_off_other_images(striped):
    reader = learn_labels(striped, labels(*range(COUNT)), CONFIG)
    assert reader.factors == {"left": "l"}
    image = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    image[..., :16] = 90  # as of number 45
    image[..., 16:] = 128
    assert reader(image)["left"].item() == pytest.approx(45, abs=8)


def test_what_cannot_be_read_off_images_is_left_out_and_said(striped, capsys):
    noise = torch.rand(COUNT, generator=torch.Generator().manual_seed(5)).tolist()
    reader = learn_labels(striped, labels(*range(COUNT), odd=noise), CONFIG)
    assert [*reader.factors] == ["left"]
    assert "odd: cannot be read off images (R² " in capsys.readouterr().err
    alone = LabelNumbers(labels(*range(COUNT)).files, {"odd": noise}, {"odd": "o"})
    with pytest.raises(UserError, match="no label can be read off these images"):
        learn_labels(striped, alone, CONFIG)


def test_too_few_images_with_labels_are_refused(striped):
    few = labels(*range(LEAST - 1))
    with pytest.raises(UserError, match="has 99 images with labels, 100 are needed"):
        learn_labels(striped, few, CONFIG)


def test_images_that_are_damaged_are_left_out(striped, capsys):
    (striped / "sub" / "3.png").write_bytes(b"\x89PNG")
    reader = learn_labels(striped, labels(*range(COUNT)), CONFIG)
    assert reader.r2[0] > 0.9
    assert "sub/3.png: left out: " in capsys.readouterr().err
