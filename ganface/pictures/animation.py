"""Moving pictures: GIF, WebP, MP4. Each says in its metadata what made it."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageSequence

from ganface.errors import UserError
from ganface.io.atomic import atomic

SOME = 16_000  # pixels of all frames that a palette is chosen from
ANIMATIONS = (".gif", ".webp", ".mp4")
NEEDS_EXTRA = "needs the optional extra, pip install 'ganface[video]'"
# What is raised for a file that is none of these, or damaged
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    EOFError,
    RecursionError,
    Image.DecompressionBombError,
)
BETWEEN, GLIDE = 4, 80  # frames from one picture to the next, and milliseconds of each


def save_animation(
    path: Path, frames: Iterable[Image.Image], milliseconds: Sequence[float], meta: dict[str, Any]
) -> None:
    """Write `frames`, each shown for its time, in the format that the suffix names. meta: what
    made them; `read_animation_meta` reads it.

    Raises UserError for another suffix, and for .mp4 where the optional extra is missing.
    """
    check_animation(path)
    frames = list(frames)
    suffix, said = path.suffix.lower(), json.dumps(meta, sort_keys=True)
    data = io.BytesIO()
    if suffix == ".mp4":
        _write_mp4(data, frames, milliseconds, said)
    elif suffix == ".webp":
        exif = Image.Exif()
        exif[ExifTags.Base.ImageDescription] = said
        _write_frames(data, frames, "WEBP", milliseconds, quality=90, exif=exif)
    else:
        frames = _of_256_colours(frames)
        _write_frames(data, frames, "GIF", milliseconds, disposal=1, comment=said.encode())
    with atomic(path) as file:
        file.write(data.getbuffer())


def glide(
    pictures: Sequence[Image.Image], stays: int, last_stays: int
) -> tuple[list[Image.Image], list[int]]:
    """Equal-sized pictures, each fading into the next: frames for `save_animation`, and for how
    many milliseconds each is shown. A picture stays so long, the last one longer."""
    frames, times = [pictures[0]], [stays]
    for before, after in pairwise(pictures):
        shares = [number / (BETWEEN + 1) for number in range(1, BETWEEN + 1)]
        frames += [Image.blend(before, after, share) for share in shares]
        times += [GLIDE] * BETWEEN
        frames.append(after)
        times.append(stays)
    return frames, [*times[:-1], last_stays]


def check_animation(path: Path, flag: str = "--out", others: Sequence[str] = ()) -> None:
    """Raise UserError, which names the flag, if `save_animation` could not write to `path`.

    others: the suffixes that the flag takes beside those of animations.
    """
    suffix = path.suffix.lower()
    if suffix not in ANIMATIONS:
        *most, last = *ANIMATIONS, *others
        raise UserError(f"{flag} {path}: the name must end in {', '.join(most)} or {last}")
    if suffix == ".mp4":
        try:
            import av  # noqa: F401
        except ImportError:
            raise UserError(f"{flag} {path}: MP4 {NEEDS_EXTRA}; or write a .gif or .webp") from None


def read_animation_meta(path: Path) -> dict[str, Any] | None:
    """What `save_animation` wrote, or None if the file was not made here, or is damaged.

    Raises UserError for .mp4 where the optional extra is missing.
    """
    read = _read_mp4 if path.suffix.lower() == ".mp4" else _read_frames
    try:
        meta = json.loads(read(path))
    except DAMAGED:
        return None
    return meta if isinstance(meta, dict) else None


def _of_256_colours(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """One palette for all frames: several would flicker, and finding one takes longer than all the
    rest. It is chosen from SOME pixels, of all frames alike. Dithering hides where its colours are
    too few: without, a large face has blotches."""
    width, height = frames[0].size
    apart = max(1, math.isqrt(width * height * len(frames) // SOME))
    size = max(1, width // apart), max(1, height // apart)
    some = Image.new("RGB", (size[0], size[1] * len(frames)))
    for row, frame in enumerate(frames):
        some.paste(frame.resize(size, Image.Resampling.NEAREST), (0, row * size[1]))
    palette = some.quantize(256, kmeans=1, dither=Image.Dither.NONE)
    return [frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames]


def _write_frames(
    file: Any, frames: list[Image.Image], kind: str, milliseconds: Sequence[float], **options: Any
) -> None:
    times = [round(time) for time in milliseconds]
    first, *rest = frames
    first.save(file, kind, save_all=True, append_images=rest, duration=times, loop=0, **options)


def _read_frames(path: Path) -> str | bytes:
    """What a GIF or WebP says of itself, once every frame could be read and it has its end."""
    data = path.read_bytes()
    if data[:4] == b"GIF8" and not data.endswith(b";"):
        raise ValueError("cut off")  # Pillow reads the frames that are there
    with Image.open(io.BytesIO(data), formats=("GIF", "WEBP")) as image:
        # Before the frames, which change it
        said = image.info.get("comment") or image.getexif()[ExifTags.Base.ImageDescription]
        for frame in ImageSequence.Iterator(image):
            frame.load()
    return said


def _write_mp4(
    file: Any, frames: list[Image.Image], milliseconds: Sequence[float], said: str
) -> None:
    """H.264, whose colour planes want even sides. Its frames are all as long as the first."""
    import av

    width, height = (side - side % 2 for side in frames[0].size)
    with av.open(file, "w", format="mp4") as container:
        container.metadata["comment"] = said
        rate = Fraction(1000 / milliseconds[0]).limit_denominator(1000)
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "16"}
        for image in frames:
            frame = av.VideoFrame.from_image(image.crop((0, 0, width, height)))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _read_mp4(path: Path) -> str:
    try:
        import av
    except ImportError:
        raise UserError(f"{path}: reading an MP4 {NEEDS_EXTRA}") from None
    with av.open(path) as container:
        for _ in container.decode(video=0):
            pass
        return container.metadata["comment"]
