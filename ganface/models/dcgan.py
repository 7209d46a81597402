"""DCGAN: Radford, Metz and Chintala 2015, "Unsupervised Representation Learning with Deep
Convolutional Generative Adversarial Networks" (arXiv:1511.06434).

The paper's networks are for 64 × 64; a size of 32 takes one layer out of each, 128 adds one, 256
two.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn.functional import pad, relu
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrizations import spectral_norm

from ganface.config.architecture import DcganConfig
from ganface.models.kernels.layout import flat_of, sum_of_pixels
from ganface.models.layers import (
    DownConv,
    LatentProjection,
    LogitHead,
    NearestUpConv,
    UpConv,
    exact,
)

LEAK = 0.2  # of LeakyReLU
HIDDEN = 32  # units of the networks that modulate G, as in their paper
EXAMPLES = 1024  # images whose labels G keeps


class SelfModulatedBatchNorm(nn.Module):
    """BatchNorm whose scale and shift are functions of z, a small network's for each layer.

    In the plain G only the first layer hears of z. "Self-modulation": Chen et al. 2019, "On Self
    Modulation for Generative Adversarial Networks" (arXiv:1810.01365), section 3. Labels follow z,
    as in its section 3.2.
    """

    def __init__(self, channels: int, inputs: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.hidden = nn.Linear(inputs, HIDDEN)
        self.scale, self.shift = nn.Linear(HIDDEN, channels), nn.Linear(HIDDEN, channels)

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        """hidden: float32 [B, HIDDEN], this layer's part of `hidden_of`."""
        with exact(x.device):  # to cast their weights costs more than these small layers
            scale_and_shift = joint_linear(hidden, [self.scale, self.shift]).to(x.dtype)
        return ScaleAndShift.apply(self.norm(x), *scale_and_shift[:, :, None, None].chunk(2, 1))


class ScaleAndShift(torch.autograd.Function):
    """x [B, C, H, W] · (1 + scale) + shift, [B, C, 1, 1] each.

    As `addcmul`, with half of its passes over memory in the gradient.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        scale = 1 + scale
        ctx.save_for_backward(x, scale)
        return torch.addcmul(shift, x, scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, scale = ctx.saved_tensors
        return gradient * scale, sum_of_pixels(gradient * x), sum_of_pixels(gradient)


def hidden_of(norms: Sequence[SelfModulatedBatchNorm], z: Tensor) -> tuple[Tensor, ...]:
    """What each of the layers makes of z: float32 [B, HIDDEN] each."""
    layers = [norm.hidden for norm in norms]
    with exact(z.device):
        hidden = relu(joint_linear(z.to(layers[0].weight.dtype), layers))
    return hidden.chunk(len(layers), 1)


def joint_linear(x: Tensor, layers: Sequence[nn.Linear]) -> Tensor:
    """What the layers make of x, side by side: one product takes less than several small ones.

    The bias is added after it: for a product with one, cuBLAS takes a kernel that is three times
    slower for so few rows.
    """
    weights = torch.cat([layer.weight for layer in layers])
    return x @ weights.T + torch.cat([layer.bias for layer in layers])


class DcganNetwork(nn.Module):
    """A stack of layers that keeps the config which it was built from."""

    def __init__(self, config: DcganConfig) -> None:
        super().__init__()
        self.config = config

    @property
    def places(self) -> int:
        """How many layers read z."""
        return 1

    def initialise(self, generator: torch.Generator) -> None:
        """The paper's start: convolutions from N(0, 0.02), BatchNorm's scales from N(1, 0.02).

        Where no BatchNorm corrects the scale, that start would be next to nothing; the scale is
        then He et al.'s 2015, "Delving Deep into Rectifiers", equation 14. What modulates G starts
        small.
        """
        scaled = not isinstance(self, Generator) and self.config.norm == "none"
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                if scaled:
                    nn.init.kaiming_normal_(module.weight, LEAK, generator=generator)
                else:
                    nn.init.normal_(module.weight, 0.0, 0.02, generator=generator)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0.0, 0.05, generator=generator)
            elif isinstance(module, nn.BatchNorm2d) and module.affine:
                nn.init.normal_(module.weight, 1.0, 0.02, generator=generator)
            if isinstance(bias := getattr(module, "bias", None), nn.Parameter):
                nn.init.zeros_(bias)


class Generator(DcganNetwork):
    """G: z [B, z_dim] -> images [B, 3, size, size] in [-1, 1].

    It takes z⁺ [B, places, z_dim] as well, a z for each of the layers that read one: the first, and
    those that modulate. What GAN inversion calls W⁺: Abdal, Qin and Wonka 2019, "Image2StyleGAN"
    (arXiv:1904.03189).

    Of a G that knows labels, z may be followed by a number for each value that images may be
    labelled with: 1 where it is asked for, 0 elsewhere. Without these numbers, or with zeros alone,
    it draws faces of any kind, though worse ones: few of those that it learned from were such. It
    keeps the labels of some images, by which faces are drawn where nobody asks for any.
    """

    examples: Tensor  # uint8 [EXAMPLES, attributes], as `Pack.labels`

    def __init__(self, config: DcganConfig) -> None:
        super().__init__(config)
        width, z_dim = config.width, config.z_dim
        layer = {"transposed": UpConv, "nearest": NearestUpConv}[config.upsample]
        inputs = z_dim + config.label_values
        norm = partial(SelfModulatedBatchNorm, inputs=inputs) if config.modulate else nn.BatchNorm2d
        channels = width * 2 ** (doublings(config.size) - 1)
        # z [B, z_dim, 1, 1] -> [B, channels, 4, 4]
        layers: list[nn.Module] = [
            LatentProjection(z_dim, channels),
            norm(channels),
            nn.ReLU(inplace=True),
        ]
        # Each layer doubles the side and halves the channels: ... -> [B, width, size/2, size/2]
        while channels > width:
            layers += [
                layer(channels, channels // 2),
                norm(channels // 2),
                nn.ReLU(inplace=True),
            ]
            channels //= 2
        # -> [B, 3, size, size]
        layers += [layer(width, 3), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        if config.labels:
            examples = torch.zeros(EXAMPLES, len(config.labels), dtype=torch.uint8)
            self.register_buffer("examples", examples)

    def initialise(self, generator: torch.Generator) -> None:
        """As the paper says, and labels change nothing yet."""
        super().initialise(generator)
        for norm in self.modulated:
            nn.init.zeros_(norm.hidden.weight[:, self.config.z_dim :])

    @property
    def modulated(self) -> list[SelfModulatedBatchNorm]:
        return [layer for layer in self.layers if isinstance(layer, SelfModulatedBatchNorm)]

    @property
    def places(self) -> int:
        """Each that modulates reads z as well."""
        return 1 + len(self.modulated)

    def forward(self, z: Tensor) -> Tensor:
        z_dim, label_values = self.config.z_dim, self.config.label_values
        if label_values and z.shape[-1] == z_dim:
            z = pad(z, (0, label_values))
        first, *others = [z] if z.dim() == 2 else z.unbind(1)
        x = first[:, :z_dim, None, None]
        modulated = self.modulated
        if others:
            parts = zip(modulated, others, strict=True)
            hidden = iter([hidden_of([layer], part)[0] for layer, part in parts])
        else:
            hidden = iter(hidden_of(modulated, first) if modulated else ())
        for layer in self.layers:
            x = layer(x, next(hidden)) if isinstance(layer, SelfModulatedBatchNorm) else layer(x)
        return x


class Discriminator(DcganNetwork):
    """D: images [B, 3, size, size] in [-1, 1] -> logits [B]. D(x) is their sigmoid.

    With the norm "none" an image's logit depends on no other image of its batch.

    Labels [B, label_values], as G is given them, add the product of what each value stands for with
    the last features: Miyato and Koyama 2018, "cGANs with Projection Discriminator"
    (arXiv:1802.05637), equation 4, for several attributes. They sum the features over positions
    first; a fringe is where the forehead is.
    """

    def __init__(self, config: DcganConfig) -> None:
        super().__init__(config)
        # [B, 3, size, size] -> [B, channels, 4, 4] -> [B, 1, 1, 1]
        layers, channels = down_layers(config)
        self.layers = nn.Sequential(*layers, LogitHead(channels))
        if config.label_values:
            self.projection = nn.Linear(config.label_values, 16 * channels, bias=False)

    def initialise(self, generator: torch.Generator) -> None:
        """As the paper says, and labels change nothing yet."""
        super().initialise(generator)
        if self.config.label_values:
            nn.init.zeros_(self.projection.weight)

    def forward(self, images: Tensor, parts: int = 1, labels: Tensor | None = None) -> Tensor:
        return self.logits(self.features(images, parts), labels)

    def features(self, images: Tensor, parts: int = 1) -> Tensor:
        """[B, channels, 4, 4], from which `logits` makes its answers.

        parts: of how many batches, one after the other, the images are made up. BatchNorm takes the
        statistics of each by itself; all else is faster on many images at once.
        """
        x = images
        for layer in self.layers[:-1]:
            if parts > 1 and isinstance(layer, _BatchNorm):
                x = torch.cat([layer(part) for part in x.chunk(parts)])
            else:
                x = layer(x)
        return x

    def logits(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        logits = self.layers[-1](features).flatten()
        if labels is None:
            return logits
        return logits + (self.projection(labels) * flat_of(features)).sum(1)


def doublings(size: int) -> int:
    """How often 4 × 4 is doubled to reach `size`."""
    return (size // 4).bit_length() - 1


def down_layers(config: DcganConfig) -> tuple[list[nn.Module], int]:
    """The layers [B, 3, size, size] -> [B, channels, 4, 4] of a network that sees images, and how
    many channels those are."""
    batch = config.norm == "batch"
    # [B, 3, size, size] -> [B, width, size/2, size/2]
    layers: list[nn.Module] = [
        DownConv(3, config.width, bias=not batch),
        nn.LeakyReLU(LEAK, inplace=True),
    ]
    # Each layer halves the side and doubles the channels, down to 4 × 4
    channels = config.width
    for _ in range(doublings(config.size) - 1):
        layers += [
            DownConv(channels, channels * 2, bias=not batch),
            *([nn.BatchNorm2d(channels * 2)] if batch else []),
            nn.LeakyReLU(LEAK, inplace=True),
        ]
        channels *= 2
    return layers, channels


def apply_spectral_norm(network: DcganNetwork, generator: torch.Generator) -> None:
    """Divide each convolution's weights by their largest singular value whenever they are used.

    The value follows by one power iteration for each pass: Miyato et al. 2018, "Spectral
    Normalization for Generative Adversarial Networks" (arXiv:1802.05957). To be called on weights
    that are initialised.
    """
    # It starts from random vectors of PyTorch's global generator
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator, device="cpu")))
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                spectral_norm(module)
