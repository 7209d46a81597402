import pytest
from PIL import Image

from ganface.errors import UserError
from ganface.pictures import face_size
from ganface.pictures.face_size import (
    FACE,
    FILM,
    GAP,
    LARGEST,
    SHEET,
    TOGETHER,
    choose_scale,
    describe_scale,
    enlarge,
)


@pytest.fixture(autouse=True)
def _as_it_is(monkeypatch):
    monkeypatch.setattr(face_size, "FACE", FACE)


@pytest.mark.parametrize("side", [32, 64, 128])
def test_a_single_face_is_256_pixels_and_a_grid_of_64_fits_a_screen(side):
    assert side * choose_scale(side) == 256
    assert side * choose_scale(side, 8, 8) == 128
    assert side * choose_scale(side, 13) == {32: 96, 64: 64, 128: 128}[side]  # a strip, or as it is


@pytest.mark.parametrize("side", [8, 32, 100])
@pytest.mark.parametrize("columns", [1, 2, 5, 11, 40])
@pytest.mark.parametrize("most", [SHEET, FILM])
def test_the_largest_whole_multiple_that_fits_is_taken(side, columns, most):
    def fits(times):
        return side * times <= FACE and columns * (side * times + GAP) - GAP <= most

    found = choose_scale(side, columns, columns, most=most)
    assert found == int(found) >= 1
    assert fits(found) or found == 1
    assert not fits(found + 1)


def test_many_pictures_are_smaller_and_very_many_are_as_they_are():
    sides = [32 * choose_scale(32, pictures=count) for count in (1, 1000, 5000, 50_000, 10**6)]
    assert sides == sorted(sides, reverse=True)
    assert (sides[0], sides[1], sides[-1]) == (256, 256, 32)
    assert 5000 * sides[2] ** 2 <= TOGETHER


def test_what_is_asked_for_is_taken_unless_the_picture_is_too_large():
    assert choose_scale(32, 8, 8, 1.5) == 1.5
    assert choose_scale(32, asked=16) == 16
    most = (LARGEST + GAP) // (32 + GAP)
    assert choose_scale(32, most) == 1
    with pytest.raises(UserError, match=r"8,192 is the most; draw fewer$"):
        choose_scale(32, 1, most + 1)
    with pytest.raises(UserError, match="draw fewer or smaller ones"):
        choose_scale(32, 9, 9, 30)


def test_small_whole_multiples_keep_every_pixel_and_others_are_smooth():
    image = Image.effect_noise((8, 8), 90).convert("RGB")
    assert enlarge(image, 1) is image
    assert enlarge(image, 2).resize((8, 8), Image.Resampling.NEAREST).tobytes() == image.tobytes()
    edge = Image.new("L", (8, 8))
    edge.paste(255, (4, 0, 8, 8))
    for times in (1.5, 3, 8):
        assert len(enlarge(edge, times).getcolors()) > 2, times
    assert len(enlarge(edge, 2).getcolors()) == 2
    assert enlarge(image, 0.5).size == (4, 4)


def test_the_metadata_say_how_it_was_enlarged():
    assert describe_scale(1) == {"scale": 1}
    assert describe_scale(2) == {"scale": 2, "resampling": "nearest"}
    assert describe_scale(4) == {"scale": 4, "resampling": "lanczos"}
    assert describe_scale(1.5) == {"scale": 1.5, "resampling": "lanczos"}
