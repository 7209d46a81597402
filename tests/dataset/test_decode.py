import contextlib
import io
import struct
import zlib

import pytest
from conftest import draw_image
from PIL import Image, ImageOps

from ganface.config.dataset import BuildConfig
from ganface.dataset.decode import FORMATS, SUFFIXES, BadImageError, decode

SIZE = 32
EXIF_ORIENTATION = 274
# Left half, right half
RED, BLUE = (255, 0, 0), (0, 0, 255)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decoded(data, **settings):
    image = decode(data, BuildConfig(size=SIZE, **settings))
    assert image.mode == "RGB"
    assert image.size == (SIZE, SIZE)
    return image


def halves(width=SIZE, height=SIZE):
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def assert_near(colour, expected, tolerance=6):
    assert all(abs(a - b) <= tolerance for a, b in zip(colour, expected, strict=True)), colour


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}),
        ("GIF", {}),
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}),
    ],
)
def test_every_format_gives_the_same_colours(kind, options):
    image = decoded(encoded(halves(), kind, **options))
    assert_near(image.getpixel((4, 4)), RED)
    assert_near(image.getpixel((SIZE - 4, SIZE - 4)), BLUE)


def test_an_image_of_the_right_size_keeps_every_pixel():
    image = draw_image(0, (SIZE, SIZE))
    assert decoded(encoded(image)).tobytes() == image.tobytes()


@pytest.mark.parametrize(
    ("orientation", "red", "blue"),
    [
        (1, (2, 15), (29, 15)),
        (2, (29, 15), (2, 15)),
        (3, (29, 15), (2, 15)),
        (6, (15, 2), (15, 29)),
        (8, (15, 29), (15, 2)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_is_turned_as_its_exif_says(kind, orientation, red, blue):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    image = decoded(encoded(halves(), kind, exif=exif))
    assert_near(image.getpixel(red), RED, 20)
    assert_near(image.getpixel(blue), BLUE, 20)


def test_grey_images_become_rgb():
    grey = draw_image(1, (SIZE, SIZE)).convert("L")
    assert decoded(encoded(grey)).tobytes() == grey.convert("RGB").tobytes()


def test_black_and_white_images_become_rgb():
    image = decoded(encoded(halves().convert("L").point(lambda g: 255 * (g > 50)).convert("1")))
    assert image.getpixel((2, 2)) == (255, 255, 255)
    assert image.getpixel((29, 2)) == (0, 0, 0)


def test_palette_images_become_rgb():
    image = decoded(encoded(halves().quantize(4)))
    assert_near(image.getpixel((2, 2)), RED)
    assert_near(image.getpixel((29, 2)), BLUE)


def see_through(mode):
    """Transparent on the left, blue (or its grey) on the right."""
    if mode == "P":
        return encoded(halves().quantize(2), transparency=transparent_index())
    if mode == "RGB":
        return encoded(halves(), transparency=RED)
    image = halves().convert("RGBA")
    image.paste((255, 0, 0, 0), (0, 0, SIZE // 2, SIZE))
    return encoded(image.convert(mode))


def transparent_index():
    return halves().quantize(2).getpixel((0, 0))


@pytest.mark.parametrize(("mode", "opaque"), [("RGBA", BLUE), ("LA", (29,) * 3), ("P", BLUE)])
@pytest.mark.parametrize(
    ("background", "colour"), [("white", (255,) * 3), ("#102030", (16, 32, 48))]
)
def test_what_is_transparent_shows_the_background(mode, opaque, background, colour):
    image = decoded(see_through(mode), background=background)
    assert image.getpixel((2, 2)) == colour
    assert_near(image.getpixel((29, 2)), opaque)


def test_a_transparent_colour_of_an_rgb_png_shows_the_background():
    image = decoded(see_through("RGB"), background="#0f0")
    assert image.getpixel((2, 2)) == (0, 255, 0)
    assert image.getpixel((29, 2)) == BLUE


def test_half_transparency_mixes_evenly():
    data = encoded(Image.new("RGBA", (SIZE, SIZE), (0, 0, 0, 128)))
    assert_near(decoded(data).getpixel((5, 5)), (127, 127, 127), 1)


def test_cmyk_jpegs_become_rgb():
    image = Image.new("CMYK", (SIZE, SIZE), (0, 255, 255, 0))
    assert_near(decoded(encoded(image, "JPEG", quality=95)).getpixel((9, 9)), RED)


@pytest.mark.parametrize(("deep", "level"), [(0, 0), (0x8000, 128), (0xFFFF, 255), (300, 1)])
def test_sixteen_bit_greys_are_scaled_and_not_clipped(deep, level):
    image = Image.new("I;16", (SIZE, SIZE), deep)
    assert_near(decoded(encoded(image)).getpixel((3, 3)), (level,) * 3, 1)


@pytest.mark.parametrize("value", [0.5, 127.5])
def test_floating_point_tiffs_hold_fractions_or_grey_levels(value):
    image = Image.new("F", (SIZE, SIZE), value)
    image.putpixel((0, 0), 2 * value)
    assert_near(decoded(encoded(image, "TIFF")).getpixel((20, 20)), (128,) * 3, 1)


def test_of_an_animation_the_first_frame_is_taken():
    first, second = Image.new("RGB", (SIZE, SIZE), RED), Image.new("RGB", (SIZE, SIZE), BLUE)
    data = encoded(first, "GIF", save_all=True, append_images=[second], duration=50)
    assert_near(decoded(data).getpixel((9, 9)), RED)


@pytest.mark.parametrize(("width", "height"), [(96, 32), (32, 96)])
def test_center_takes_the_middle_square_and_none_squeezes_all(width, height):
    image = Image.new("RGB", (96, 32), RED)
    image.paste(BLUE, (32, 0, 64, 32))
    data = encoded(image if width > height else image.transpose(Image.Transpose.ROTATE_90))
    cropped = decoded(data, crop="center")
    assert cropped.getcolors() == [(SIZE * SIZE, BLUE)]
    squeezed = decoded(data, crop="none")
    assert_near(squeezed.getpixel((2, 2)), RED)
    assert_near(squeezed.getpixel((16, 16)), BLUE)
    assert_near(squeezed.getpixel((29, 29)), RED)


@pytest.mark.parametrize("side", [1, 5, 200])
def test_images_are_scaled_up_and_down(side):
    image = decoded(encoded(Image.new("RGB", (side, side), BLUE)))
    assert image.getcolors() == [(SIZE * SIZE, BLUE)]


def test_scaling_down_averages_instead_of_dropping_pixels():
    stripes = Image.new("L", (SIZE * 8, SIZE * 8), 0)
    for x in range(0, stripes.width, 2):
        stripes.paste(255, (x, 0, x + 1, stripes.height))
    assert_near(decoded(encoded(stripes)).getpixel((16, 16)), (127,) * 3, 3)


def png_header(width, height):
    """A PNG that claims a size and holds no pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body
    return start + struct.pack(">I", zlib.crc32(body)) + struct.pack(">I", 0) + b"IDAT"


def jpeg_of_scans(count):
    """A JPEG whose last scan comes so many times."""
    data = encoded(halves(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + count * data[last:-2] + data[-2:]


NOISY = ImageOps.autocontrast(Image.effect_noise((64, 64), 90)).convert("RGB")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"A list of images that I want.\n" * 20, "not an image of a known format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image of a known format"),
        (b"\0" * 1000, "not an image of a known format"),
        (encoded(NOISY, "ICO"), "not an image of a known format"),
        (encoded(NOISY, "JPEG")[:1500], "cannot be decoded: .*truncated"),
        (encoded(NOISY, "PNG")[:3000], "cannot be decoded"),
        (encoded(NOISY, "WEBP")[:500], "not an image|cannot be decoded"),
        (encoded(NOISY, "GIF")[:1500], "cannot be decoded"),
        (encoded(NOISY, "BMP")[:3000], "cannot be decoded"),
        (png_header(30_000, 30_000), "too large"),
        (png_header(12_000, 12_000), "too large: 12000 × 12000 pixels"),
        (jpeg_of_scans(501), "more than 500 scans"),
        (png_header(0, 10), "not an image|cannot be decoded"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value[:12],
)
def test_bad_images_are_left_out_with_a_reason_of_one_line(data, reason):
    with pytest.raises(BadImageError, match=reason) as error:
        decoded(data)
    assert "\n" not in str(error.value)


def test_damage_anywhere_in_a_file_never_raises_anything_else():
    for kind in FORMATS:
        data = encoded(NOISY.resize((24, 24)), kind)
        for position in range(0, len(data), max(1, len(data) // 60)):
            damaged = bytearray(data)
            damaged[position] ^= 0xFF
            with contextlib.suppress(BadImageError):
                decoded(bytes(damaged))


def test_the_known_suffixes_cover_the_known_formats():
    named = {s for s, kind in Image.registered_extensions().items() if kind in FORMATS}
    unusual = {".jfif", ".jpe", ".apng", ".avifs", ".dib"}
    assert named - unusual == SUFFIXES
