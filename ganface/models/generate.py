"""From a generator and latents to images: faces, walks and sweeps."""

from __future__ import annotations

import torch
from torch import Tensor

from ganface.models.dcgan import DcganNetwork
from ganface.models.kernels.winograd import load_libraries
from ganface.models.layers import use_compiled
from ganface.pictures.grid import to_uint8
from ganface.system.compiler import CannotCompile

BATCH = 64
COMPILE_FACES = 4000  # from so many on, faster kernels earn back the seconds of their compilation


def use_compiled_kernels(G: DcganNetwork, faces: int) -> None:
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
def generate_on_device(G: DcganNetwork, z: Tensor) -> Tensor:
    """The images of z [N, z_dim], or of z⁺ [N, places, z_dim], both on G's device: uint8
    [N, 3, S, S], for a G in eval mode.

    In eval mode no image depends on the others of its batch.
    """
    return torch.cat([to_uint8(G(part)) for part in z.split(BATCH)])


def generate(G: DcganNetwork, z: Tensor) -> Tensor:
    """What `generate_on_device` gives for z on the CPU, on the CPU."""
    device = next(G.parameters()).device
    return torch.cat([generate_on_device(G, part.to(device)).cpu() for part in z.split(BATCH)])


def render_walks(G: DcganNetwork, walks: Tensor) -> Tensor:
    """The images of K walks [K, F, z_dim], or of z⁺ [K, F, places, z_dim]: uint8
    [K, F, 3, S, S] on the CPU."""
    return generate(G, walks.flatten(0, 1)).unflatten(0, walks.shape[:2])
