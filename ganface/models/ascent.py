"""The discriminator alone as a generator: it draws what it takes for real, by climbing to it.

The lecture's argmax over x of D(x), looked for as in Yin, Li and Rohde 2020, "Learning Energy-Based
Models With Adversarial Training" (arXiv:2012.06568): some steps of one length up D's gradient.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.linalg import vector_norm
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from ganface.config.architecture import AscentConfig
from ganface.latents import rng
from ganface.latents.fitted import fitted
from ganface.models.dcgan import DcganNetwork, Discriminator

REFERENCE_SIDE = 64  # of the images for which the step size is meant
COARSE = 4  # pixels a side of what an ascent starts from: colours, and no face yet
GRAIN = 0.1  # deviation of the noise in every pixel of the start, for images in [-1, 1]
NO_DIRECTION = 1e-12  # a gradient shorter than this moves the image less than a step
RIGHT = 0.75  # the share of images that D may get right before the ascent is made longer
PACE = 0.2  # steps of the ascent by which it grows in an update, for a share of 1 too much


class Ascent(DcganNetwork):
    """G: z [B, z_dim] from N(0, I) -> images [B, 3, size, size] in [-1, 1], by D alone.

    Its weights are D's, which must have no BatchNorm, for each image climbs by itself. Beside them
    it holds thumbnails of real images, of which the noise is made that it starts from.
    """

    config: AscentConfig
    entries: Tensor
    signs: Tensor
    examples: Tensor
    steps: Tensor

    def __init__(self, config: AscentConfig) -> None:
        super().__init__(config)
        self.D = Discriminator(config)
        # Which entry of z is an image's noise in each of its numbers, and with which sign: the same
        # in every network, and in no file
        shape, dice = (3, config.size, config.size), rng.generator(0, "noise of an ascent")
        entries = torch.randint(config.z_dim, shape, generator=dice, device="cpu")
        signs = torch.randint(2, shape, generator=dice, device="cpu") * 2.0 - 1
        self.register_buffer("entries", entries, persistent=False)
        self.register_buffer("signs", signs, persistent=False)
        self.register_buffer("examples", torch.zeros(config.z_dim, 3, COARSE, COARSE))
        self.register_buffer("steps", torch.ones(()))  # of the ascent, as D is now

    def forward(self, z: Tensor) -> Tensor:
        for images in self.ascent(z):
            last = images
        return last

    def ascent(self, z: Tensor) -> Iterator[Tensor]:
        """The images of z after 0, 1, … `ascent_steps`: float32 [B, 3, size, size] in [-1, 1] each.

        The first `steps` of them move an image, and of the next one the part that is left. No
        gradient reaches z, nor D's weights.
        """
        # A CUDA graph does the same every time: there steps are computed that move nothing
        count = self.config.ascent_steps if z.is_cuda else int(self.steps.ceil())
        # An image with twice the side is twice as long a vector
        length = self.config.step_size * self.config.size / REFERENCE_SIDE
        images = self.start(z)
        yield images
        for number in range(count):
            part = (self.steps - number).clamp(0, 1)
            images = self.step_up(images, part * length)
            yield images

    @torch.no_grad()
    def start(self, z: Tensor) -> Tensor:
        """Noise as wide as real images are: coarsely a draw from the Gaussian that fits their
        thumbnails, and GRAIN in every pixel."""
        z = z.flatten(1)  # z⁺ of its one place, too
        coarse = fitted(self.examples.flatten(1), z).unflatten(1, (3, COARSE, COARSE))
        grain = self.signs * z[:, self.entries]  # [B, 3, size, size], N(0, 1) each
        images = interpolate(coarse, size=self.config.size, mode="bilinear") + GRAIN * grain
        return images.clamp(-1, 1).contiguous(memory_format=torch.channels_last)

    def step_up(self, images: Tensor, length: Tensor) -> Tensor:
        """A step of `length`, float32 [], up D's gradient for each image; no further than to
        ±1."""
        # Also for who draws, and has told PyTorch that there will be no gradients
        with torch.inference_mode(False), torch.enable_grad():
            x = images.detach().clone().requires_grad_()
            (gradient,) = torch.autograd.grad(self.D(x).sum(), x)
        slope = vector_norm(gradient, dim=(1, 2, 3), keepdim=True).clamp(min=NO_DIRECTION)
        return (images + length * gradient / slope).clamp(-1, 1)

    @torch.no_grad()
    def adapt(self, right: Tensor) -> None:
        """Climb further next time if D tells the images too well from real ones, or less far.

        right: float32 [], the share of real and climbed images that D gets right.
        """
        change = PACE * (right - RIGHT)
        self.steps.add_(change).clamp_(1, self.config.ascent_steps)

    @torch.no_grad()
    def start_from(self, reals: Tensor) -> None:
        """Let these real images, [z_dim, 3, size, size] in [-1, 1], be what noise is made of."""
        self.examples.copy_(adaptive_avg_pool2d(reals, COARSE))
