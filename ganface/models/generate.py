"""From a generator and latents to images: faces, walks and sweeps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ganface.latents.labels import multi_hot, with_labels
from ganface.latents.seeds import z_of
from ganface.models.dcgan import EXAMPLES, DcganNetwork, Generator
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


def latents_of(G: DcganNetwork, seeds: Sequence[int]) -> Tensor:
    """What the faces of these seeds are drawn from: float32 [N, z_dim], on the CPU. Of a G that
    knows labels, those of an image follow z: [N, z_dim + label_values]; the seed says which one's.
    """
    z, labels, attributes = z_of(seeds, G.config.z_dim), labels_of(G, seeds), G.config.labels
    return z if labels is None or not attributes else with_labels(z, multi_hot(labels, attributes))


def labels_of(G: DcganNetwork, seeds: Sequence[int]) -> Tensor | None:
    """The labels by which the faces of these seeds are drawn: uint8 [N, attributes], on the CPU, as
    `Pack.labels`. None of a G that knows none."""
    if not G.config.labels or not isinstance(G, Generator):
        return None
    return G.examples.cpu()[[seed % EXAMPLES for seed in seeds]]


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
