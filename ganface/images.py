"""Tensors -> grids, and grids -> files: PNG with metadata, GIF, WebP, MP4."""

from __future__ import annotations

import io
import json
import math
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont, ImageOps, PngImagePlugin

from ganface import files
from ganface.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

GAP = 2  # pixels between the images of a grid, and around it
PAPER = (255, 255, 255)
INK = (40, 40, 48)
METADATA_KEY = "ganface"
TIMELINE_ROWS = 8
TABLE_CELL = 64  # pixels that an image takes at least in a table with names
ANIMATIONS = (".gif", ".webp", ".mp4")


def to_uint8(images: Tensor) -> Tensor:
    """Images in [-1, 1] -> uint8 of the same shape, rounded to the nearest grey level."""
    import torch

    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def to_pil(image: Tensor) -> Image.Image:
    """uint8 [3, H, W] on the CPU -> an RGB image."""
    return Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())


# ---------------------------------------------------------------------------- grids


def square_columns(count: int) -> int:
    """Columns of the grid of `count` images that is nearest to a square."""
    return math.ceil(math.sqrt(count))


def grid(images: Tensor, columns: int) -> Image.Image:
    """Lay out uint8 [N, 3, S, S] row by row."""
    count, side = images.shape[0], images.shape[2]
    step = side + GAP
    rows = math.ceil(count / columns)
    sheet = Image.new("RGB", (columns * step + GAP, rows * step + GAP), PAPER)
    for index, image in enumerate(images):
        sheet.paste(to_pil(image), _box(index, columns, side)[:2])
    return sheet


def cut(sheet: Image.Image, index: int, columns: int) -> Image.Image:
    """The image at `index` of a grid, as it was laid in."""
    side = (sheet.width - GAP) // columns - GAP
    return sheet.crop(_box(index, columns, side))


def _box(index: int, columns: int, side: int) -> tuple[int, int, int, int]:
    row, column = divmod(index, columns)
    left, top = column * (side + GAP) + GAP, row * (side + GAP) + GAP
    return left, top, left + side, top + side


def timeline(grids: dict[int, Image.Image], seeds: Sequence[int]) -> Image.Image:
    """Rows: seeds, the first TIMELINE_ROWS; columns: steps.

    `grids`: step -> a grid of `seeds`, all laid out alike.
    """
    columns = square_columns(len(seeds))
    shown = seeds[:TIMELINE_ROWS]
    cells = [[cut(sheet, row, columns) for sheet in grids.values()] for row in range(len(shown))]
    return table(cells, [f"seed {seed}" for seed in shown], [f"{step:,}" for step in grids])


def table(
    cells: Sequence[Sequence[Image.Image]], row_names: Sequence[str], column_names: Sequence[str]
) -> Image.Image:
    """Rows of equal-sized images, with a name for each row and each column.

    Small images are shown in whole multiples of their size, so that the names fit.
    """
    zoom = max(1, TABLE_CELL // cells[0][0].width)
    cells = [
        [ImageOps.scale(image, zoom, Image.Resampling.NEAREST) for image in row] for row in cells
    ]
    side = cells[0][0].width
    step = side + GAP
    font = ImageFont.load_default(12)
    margin = 12 + round(max(font.getlength(name) for name in row_names))
    header = 20
    size = (margin + len(column_names) * step, header + len(row_names) * step)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, name in enumerate(column_names):
        middle = (margin + column * step + side // 2, header // 2)
        draw.text(middle, name, INK, font, anchor="mm")
    for row, (name, images) in enumerate(zip(row_names, cells, strict=True)):
        top = header + row * step
        draw.text((margin - 6, top + side // 2), name, INK, font, anchor="rm")
        for column, image in enumerate(images):
            sheet.paste(image, (margin + column * step, top))
    return sheet


def caption(image: Image.Image, text: str) -> Image.Image:
    """The image with a line of text below it."""
    height = 24
    sheet = Image.new("RGB", (image.width, image.height + height), PAPER)
    sheet.paste(image)
    middle = (image.width // 2, image.height + height // 2)
    ImageDraw.Draw(sheet).text(middle, text, INK, ImageFont.load_default(14), anchor="mm")
    return sheet


# ---------------------------------------------------------------------------- files


def save_png(path: Path, image: Image.Image, meta: dict[str, Any], durable: bool = True) -> None:
    """Write a PNG that says in its metadata what made it; `ganface info` reads it.

    `durable`: see `files.atomic`.
    """
    info = PngImagePlugin.PngInfo()
    info.add_text(METADATA_KEY, json.dumps(meta, sort_keys=True))
    # Pillow, were it to write to the disk itself, would not say that this is full
    data = io.BytesIO()
    # Run lengths alone: longer matches are rare among a face's pixels, and take time to seek
    image.save(data, "PNG", pnginfo=info, compress_type=zlib.Z_RLE)
    with files.atomic(path, durable) as file:
        file.write(data.getbuffer())


def open_png(path: Path) -> Image.Image:
    """A PNG, read whole. Raises UserError if it is damaged."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            image.load()
            return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: no PNG, or damaged ({error})") from error


def read_png_meta(path: Path) -> dict[str, Any] | None:
    """What `save_png` wrote, or None if the file is no PNG made here, or damaged."""
    try:
        meta = json.loads(open_png(path).text[METADATA_KEY])
    except (UserError, ValueError, KeyError, RecursionError):
        return None
    return meta if isinstance(meta, dict) else None


def save_animation(path: Path, frames: Iterable[Image.Image], milliseconds: Sequence[int]) -> None:
    """Write `frames`, each shown for its time, in the format that the suffix names.

    Raises UserError for another suffix, and for .mp4 where the optional extra is missing.
    """
    check_animation(path)
    frames = list(frames)
    suffix = path.suffix.lower()
    data = io.BytesIO()
    if suffix == ".mp4":
        _write_mp4(data, frames, milliseconds)
    elif suffix == ".webp":
        _write_frames(data, frames, "WEBP", milliseconds, quality=90)
    else:
        frames = [frame.quantize(256, dither=Image.Dither.NONE) for frame in frames]
        _write_frames(data, frames, "GIF", milliseconds, disposal=1)
    with files.atomic(path) as file:
        file.write(data.getbuffer())


def check_animation(path: Path) -> None:
    """Raise UserError if `save_animation` could not write to `path`."""
    suffix = path.suffix.lower()
    if suffix not in ANIMATIONS:
        raise UserError(f"--out {path}: the name must end in {', '.join(ANIMATIONS)} or .png")
    if suffix == ".mp4":
        try:
            import av  # noqa: F401
        except ImportError:
            raise UserError(
                f"--out {path}: MP4 needs the optional extra, pip install 'ganface[video]'; "
                "or write a .gif or .webp"
            ) from None


def _write_frames(
    file: Any, frames: list[Image.Image], kind: str, milliseconds: Sequence[int], **options: Any
) -> None:
    times = list(milliseconds)
    first, *rest = frames
    first.save(file, kind, save_all=True, append_images=rest, duration=times, loop=0, **options)


def _write_mp4(file: Any, frames: list[Image.Image], milliseconds: Sequence[int]) -> None:
    """H.264, whose colour planes want even sides. Its frames are all as long as the first."""
    import av

    width, height = (side - side % 2 for side in frames[0].size)
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=round(1000 / milliseconds[0]))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "16"}
        for image in frames:
            frame = av.VideoFrame.from_image(image.crop((0, 0, width, height)))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
