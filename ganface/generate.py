"""From a generator and latents to images: faces, walks and sweeps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from ganface.images import grid, square_columns, table, to_pil, to_uint8
from ganface.models.convolutions import use_compiled
from ganface.models.dcgan import Generator
from ganface.models.winograd import load_libraries
from ganface.native import CannotCompile

BATCH = 64
STRIP_COLUMNS = 13  # a strip shows at most so many of a walk's frames
COMPILE_FACES = 4000  # from so many on, faster kernels earn back the seconds of their compilation


def hasten(G: Generator, faces: int) -> None:
    """Let G draw by compiled kernels, if it is on the CPU and so many faces are worth it.

    They round otherwise: here and there a pixel differs by one level of grey.
    """
    if faces < COMPILE_FACES or next(G.parameters()).device.type != "cpu":
        return
    try:
        load_libraries(torch.float32)
    except CannotCompile:
        return
    use_compiled(G)


@torch.inference_mode()
def paint(G: Generator, z: Tensor) -> Tensor:
    """The images of z [N, z_dim], both on G's device: uint8 [N, 3, S, S], for a G in eval mode.

    In eval mode no image depends on the others of its batch.
    """
    return torch.cat([to_uint8(G(part)) for part in z.split(BATCH)])


def render(G: Generator, z: Tensor) -> Tensor:
    """What `paint` gives for z on the CPU, on the CPU."""
    device = next(G.parameters()).device
    return torch.cat([paint(G, part.to(device)).cpu() for part in z.split(BATCH)])


def draw_grid(G: Generator, z: Tensor) -> Image.Image:
    """The faces of z [N, z_dim] as one picture, near a square."""
    return grid(render(G, z), square_columns(len(z)))


def render_walks(G: Generator, walks: Tensor) -> Tensor:
    """The images of K walks [K, F, z_dim]: uint8 [K, F, 3, S, S] on the CPU."""
    return render(G, walks.flatten(0, 1)).unflatten(0, walks.shape[:2])


def draw_walk_frames(faces: Tensor) -> list[Image.Image]:
    """A picture for each moment of K walks [K, F, 3, S, S], the K faces side by side."""
    return [grid(moment, square_columns(len(moment))) for moment in faces.unbind(1)]


def draw_strip(faces: Tensor) -> Image.Image:
    """K walks [K, F, 3, S, S] as one picture: a row each."""
    faces = faces[:, _moments(faces)]
    return grid(faces.flatten(0, 1), faces.shape[1])


def draw_sweep(faces: Tensor, dims: Sequence[int], low: float, high: float) -> Image.Image:
    """What `latents.sweep` gave, rendered [K, F, 3, S, S]: rows are dimensions, columns values."""
    moments = _moments(faces)
    values = torch.linspace(low, high, faces.shape[1])[moments].tolist()
    cells = [[to_pil(face) for face in row] for row in faces[:, moments]]
    column_names = [f"{round(value, 1) + 0:.1f}" for value in values]  # + 0: no minus before zero
    return table(cells, [f"z[{dim}]" for dim in dims], column_names)


def _moments(faces: Tensor) -> Tensor:
    """Which frames a strip shows: all, or STRIP_COLUMNS of them at even distances."""
    frames = faces.shape[1]
    return torch.linspace(0, frames - 1, min(frames, STRIP_COLUMNS)).round().long()
