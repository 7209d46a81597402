import pytest
from PIL import Image, ImageDraw

from ganface.pictures.text import ZOOM, can_write, length, write


def ink(text, anchor="ls"):
    """Where the letters are: the box around what was written."""
    sheet = Image.new("RGB", (400, 120), "white")
    write(ImageDraw.Draw(sheet), (200, 80), text, (0, 0, 0), anchor)
    return sheet.convert("L").point(lambda grey: 255 - grey).getbbox()


def test_an_accent_stands_above_its_letter_and_takes_no_room():
    assert length("Fréchet") == length("Frechet")
    plain, accented = ink("e"), ink("é")
    assert accented[1] < plain[1] - 2  # higher up
    assert (accented[0], accented[2:]) == (plain[0], plain[2:])  # and no wider


@pytest.mark.parametrize("anchor", ["ls", "ms", "rs", "rm"])
def test_accents_go_where_the_text_goes(anchor):
    box, plain = ink("éé", anchor), ink("ee", anchor)
    assert (box[0], box[2]) == (plain[0], plain[2])
    assert box[1] < plain[1]


def test_what_the_font_cannot_write_is_known():
    assert can_write("Fréchet 16 × 16")
    assert not can_write("顔")
    assert not can_write("über")


def test_texts_are_as_large_as_the_sheet():
    assert ink("e")[2] - ink("e")[0] == pytest.approx(length("e") * ZOOM, abs=ZOOM)
