import random

import pytest
import torch
from PIL import Image, ImageFont

from ganface.errors import UserError
from ganface.pictures.animation import BETWEEN, glide, read_animation_meta, save_animation
from ganface.pictures.face_size import GAP
from ganface.pictures.grid import (
    PAPER,
    TIMELINE_ROWS,
    caption,
    captioned,
    cut,
    drawable,
    evenly,
    grid,
    square_columns,
    table,
    timeline,
    to_pil,
    to_uint8,
)
from ganface.pictures.png import read_png_meta, save_png

META = {"kind": "walk", "seeds": "0-4", "step": 4000, "range": [-3.0, 3.0], "ü": "顔"}


def random_images(count, side=6, seed=0):
    dice = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, side, side), generator=dice, dtype=torch.uint8)


def pixels(image):
    return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(
        image.height, image.width, 3
    )


@pytest.mark.parametrize(
    ("value", "level"),
    [(-1, 0), (0, 128), (1, 255), (-1.7, 0), (2.5, 255), (1e30, 255), (-1 + 1.4 / 255, 1)],
)
def test_to_uint8_maps_minus_one_to_black_and_one_to_white(value, level):
    image = to_uint8(torch.full((3, 2, 2), float(value)))
    assert image.dtype == torch.uint8
    assert (image == level).all()


def test_every_grey_level_survives_the_way_to_the_network_and_back():
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(levels.float() / 127.5 - 1), levels)


def test_to_pil_keeps_rows_columns_and_channels_apart():
    image = torch.zeros(3, 2, 4, dtype=torch.uint8)
    image[1, 0, 3] = 200
    picture = to_pil(image)
    assert picture.size == (4, 2)
    assert picture.getpixel((3, 0)) == (0, 200, 0)
    assert picture.getpixel((0, 1)) == (0, 0, 0)


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (5, 3), (9, 3), (10, 4), (64, 8)])
def test_what_is_cut_from_a_grid_is_what_was_laid_in(count, columns):
    assert square_columns(count) == columns
    images = random_images(count)
    sheet = grid(images, columns)
    for index, image in enumerate(images):
        assert torch.equal(pixels(cut(sheet, index, columns)).permute(2, 0, 1), image)


def test_everything_between_the_images_of_a_grid_is_paper():
    side, columns, count = 6, 3, 5
    images = torch.zeros(count, 3, side, side, dtype=torch.uint8)
    sheet = pixels(grid(images, columns))
    assert sheet.shape == (2 * (side + GAP) - GAP, 3 * (side + GAP) - GAP, 3)
    paper = torch.ones(sheet.shape[:2], dtype=torch.bool)
    for index in range(count):
        top, left = (place * (side + GAP) for place in divmod(index, columns))
        paper[top : top + side, left : left + side] = False
    assert (sheet[paper] == torch.tensor(PAPER)).all()
    assert not sheet[~paper].any()


def test_a_single_face_has_no_border():
    image = random_images(1)[0]
    assert torch.equal(pixels(grid(image[None], 1)).permute(2, 0, 1), image)


def test_a_timeline_has_a_row_per_seed_and_a_column_per_step():
    seeds = tuple(range(10, 20))
    columns = square_columns(len(seeds))
    faces = {step: random_images(len(seeds), 48, seed=step) for step in (100, 20_000)}
    sheet = timeline({step: grid(f, columns) for step, f in faces.items()}, seeds)
    margin = sheet.width - 2 * (48 + GAP)
    header = sheet.height - TIMELINE_ROWS * (48 + GAP)
    assert margin > 0
    assert header > 0
    for column, step in enumerate(faces):
        for row in range(TIMELINE_ROWS):
            left, top = margin + column * (48 + GAP), header + row * (48 + GAP)
            cell = pixels(sheet.crop((left, top, left + 48, top + 48)))
            assert torch.equal(cell.permute(2, 0, 1), faces[step][row])


def test_a_caption_stands_below_the_picture_and_covers_none_of_it():
    picture = to_pil(random_images(1, 80)[0])
    sheet = caption(picture, "100 updates")
    assert sheet.width == picture.width
    assert sheet.crop((0, 0, 80, 80)).tobytes() == picture.tobytes()
    below = sheet.crop((0, 80, 80, sheet.height))
    assert len(below.getcolors()) > 1


@pytest.mark.parametrize("side", [32, 64, 128])
def test_captions_have_room_below_images_of_any_size(side):
    text = "quarters: 0.45"
    sheet = captioned(random_images(3, side), [text] * 3, 3)
    assert sheet.width >= 3 * ImageFont.load_default(14).getlength(text)
    assert (sheet.width - 2 * GAP) % 3 == 0


def test_png_metadata_comes_back_as_it_went_in(tmp_path):
    path = tmp_path / "below" / "face.png"
    picture = to_pil(random_images(1)[0])
    meta = {"kind": "grid", "seeds": "0-63,99", "step": 100, "range": [-3.0, 3.0], "ü": "顔"}
    save_png(path, picture, meta)
    assert read_png_meta(path) == meta
    with Image.open(path) as image:
        assert image.tobytes() == picture.tobytes()


def other_png(path):
    Image.new("RGB", (4, 4)).save(path, "PNG")


def truncated_png(path):
    save_png(path, to_pil(random_images(1, 64)[0]), {"kind": "face"})
    path.write_bytes(path.read_bytes()[:-400])


def list_for_meta(path):
    save_png(path, Image.new("RGB", (4, 4)), ["no", "object"])


@pytest.mark.parametrize(
    "write",
    [
        other_png,
        truncated_png,
        list_for_meta,
        lambda path: Image.new("RGB", (4, 4)).save(path, "JPEG"),
        lambda path: path.write_text("no picture"),
        lambda path: path.write_bytes(b""),
    ],
    ids=["other", "truncated", "list", "jpeg", "text", "empty"],
)
def test_other_files_have_no_metadata_of_ours(tmp_path, write):
    path = tmp_path / "file.png"
    write(path)
    assert read_png_meta(path) is None


def test_a_flipped_bit_of_pixels_or_metadata_is_found(tmp_path):
    path = tmp_path / "face.png"
    meta = {"kind": "face", "seeds": "3"}
    save_png(path, to_pil(random_images(1, 64)[0]), meta)
    data = path.read_bytes()
    dice = random.Random(0)
    for bit in [dice.randrange(8 * (len(data) - 12)) for _ in range(100)]:  # all but the end mark
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert read_png_meta(path) is None, bit


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".GIF"])
def test_animations_have_their_frames_times_and_colours(tmp_path, suffix):
    path = tmp_path / f"walk{suffix}"
    times = [50, 50, 100, 300]
    levels = [10, 90, 170, 250]
    save_animation(path, [Image.new("RGB", (16, 12), (g, g, g)) for g in levels], times, META)
    assert read_animation_meta(path) == META
    with Image.open(path) as image:
        assert image.size == (16, 12)
        assert image.n_frames == len(times)
        assert image.info["loop"] == 0
        for index, (time, level) in enumerate(zip(times, levels, strict=True)):
            image.seek(index)
            image.load()
            assert image.info["duration"] == time
            assert abs(image.convert("L").getpixel((5, 5)) - level) <= 2


@pytest.mark.parametrize("side", [32, 33])
def test_mp4_has_its_frames_and_its_rate(tmp_path, side):
    """Also one whose frames last no whole number of milliseconds."""
    av = pytest.importorskip("av")
    path = tmp_path / "walk.mp4"
    levels = [20, 120, 220]
    frames = [Image.new("RGB", (side, side), (g, g, g)) for g in levels]
    save_animation(path, frames, [1000 / 35] * 3, META)
    assert read_animation_meta(path) == META
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (32, 32)
        assert stream.average_rate == 35
        greys = [frame.to_ndarray(format="gray")[8, 8] for frame in container.decode(stream)]
    assert greys == pytest.approx(levels, abs=10)


def test_of_many_places_some_are_taken_evenly():
    assert evenly(2, 3) == [0, 1]
    assert evenly(3, 3) == [0, 1, 2]
    assert evenly(11, 3) == [0, 5, 10]
    assert len({*evenly(31, 30)}) == 30


def test_a_gif_that_claims_a_vast_size_has_no_metadata_of_ours(tmp_path):
    path = tmp_path / "bomb.gif"
    path.write_bytes(b"GIF89a" + 2 * (65_000).to_bytes(2, "little") + bytes(3) + b";")
    assert read_animation_meta(path) is None


@pytest.mark.parametrize("name", ["walk.avi", "walk", "gif"])
def test_an_unknown_animation_format_is_refused_with_the_known_ones(tmp_path, name):
    with pytest.raises(UserError, match=r"\.gif, \.webp or \.mp4"):
        save_animation(tmp_path / name, [Image.new("RGB", (4, 4))], [50], META)
    assert not list(tmp_path.glob("*wal*"))


def test_a_failed_animation_leaves_no_file_behind(tmp_path):
    def frames():
        yield Image.new("RGB", (4, 4))
        raise RuntimeError("no more")

    folder = tmp_path / "out"
    with pytest.raises(RuntimeError, match="no more"):
        save_animation(folder / "walk.gif", frames(), [50, 50], META)
    assert not folder.exists() or not list(folder.iterdir())


@pytest.mark.parametrize("side", [36, 200, 600])
def test_a_gif_keeps_its_colours_near(tmp_path, side):
    """A smooth picture of many colours, small or so large that a part of it makes the palette."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    picture = torch.stack([x * 255 / side, y * 255 / side, (x + y) * 127 / side]).byte()
    save_animation(tmp_path / "a.gif", [to_pil(picture)], [50], META)
    with Image.open(tmp_path / "a.gif") as found:
        # Dithering is right on average over a few pixels
        blurred = [image.reduce(3) for image in (found.convert("RGB"), to_pil(picture))]
    error = (pixels(blurred[0]).float() - pixels(blurred[1])).abs().mean()
    assert error < 6


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".mp4"])
def test_moving_pictures_that_are_cut_off_or_of_others_have_no_metadata_of_ours(tmp_path, suffix):
    if suffix == ".mp4":
        pytest.importorskip("av")
    path = tmp_path / f"a{suffix}"
    frames = [to_pil(image) for image in random_images(4, 64)]
    save_animation(path, frames, [50] * 4, META)
    data = path.read_bytes()
    for length in (0, 30, len(data) // 2, len(data) - 100, len(data) - 1):
        path.write_bytes(data[:length])
        assert read_animation_meta(path) is None, length
    path.write_text("no picture")
    assert read_animation_meta(path) is None
    if suffix != ".mp4":
        frames[0].save(path, save_all=True, append_images=frames[1:])
        assert read_animation_meta(path) is None


def test_pictures_glide_into_each_other_and_each_is_shown_as_it_is():
    black, grey, white = (Image.new("RGB", (4, 4), (g, g, g)) for g in (0, 100, 200))
    frames, times = glide([black, grey, white], 1000, 3000)
    levels = [frame.getpixel((0, 0))[0] for frame in frames]
    assert levels == sorted(set(levels))
    assert [levels.index(level) for level in (0, 100, 200)] == [0, BETWEEN + 1, 2 * (BETWEEN + 1)]
    assert [time for time in times if time >= 1000] == [1000, 1000, 3000]
    assert glide([black], 1000, 3000) == ([black], [3000])


def test_a_table_s_columns_are_as_wide_as_their_names():
    cell = Image.new("RGB", (64, 64))
    narrow, wide = (
        table([[cell, cell]], ["row"], names) for names in (["a", "b"], ["a", "a long name indeed"])
    )
    assert narrow.height == wide.height
    assert wide.width - narrow.width > 2 * 30


def test_names_that_the_font_has_not_become_numbers():
    assert drawable(["gan", "顔", "α"]) == ["gan", "model 2", "model 3"]
