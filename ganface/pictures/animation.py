"""Moving pictures: GIF, WebP, MP4."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ganface.errors import UserError
from ganface.io.atomic import atomic

SOME = 16_000  # pixels
ANIMATIONS = (".gif", ".webp", ".mp4")


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
        frames = [_of_256_colours(frame) for frame in frames]
        _write_frames(data, frames, "GIF", milliseconds, disposal=1)
    with atomic(path) as file:
        file.write(data.getbuffer())


def check_animation(path: Path, flag: str = "--out") -> None:
    """Raise UserError, which names the flag, if `save_animation` could not write to `path`."""
    suffix = path.suffix.lower()
    if suffix not in ANIMATIONS:
        raise UserError(f"{flag} {path}: the name must end in {', '.join(ANIMATIONS)} or .png")
    if suffix == ".mp4":
        try:
            import av  # noqa: F401
        except ImportError:
            raise UserError(
                f"{flag} {path}: MP4 needs the optional extra, pip install 'ganface[video]'; "
                "or write a .gif or .webp"
            ) from None


def _of_256_colours(frame: Image.Image) -> Image.Image:
    """Chosen from SOME pixels of a large frame: from all of them it takes a second."""
    apart = max(1, math.isqrt(frame.width * frame.height // SOME))
    some = frame.resize((frame.width // apart, frame.height // apart), Image.Resampling.NEAREST)
    no_dither = Image.Dither.NONE
    palette = some.quantize(256, kmeans=1, dither=no_dither)
    return frame.quantize(palette=palette, dither=no_dither)


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
