from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ganface.evaluation.memorisation import SIDE
from ganface.evaluation.probe import Measurements, Probe
from ganface.evaluation.pure import FACES, FAR, pure_direction
from ganface.evaluation.rest import Rest
from ganface.latents.places import moved
from ganface.models.dcgan import Generator

Z_DIM = 2


class Curved(Generator):
    """Two layers read z. Hair hangs on entry 0 of both; skin on its square in the first one."""

    places = 2

    def __init__(self):
        nn.Module.__init__(self)
        self.config = SimpleNamespace(z_dim=Z_DIM, labels=None)
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, z):
        hair = z[:, 0, 0] + z[:, 1, 0]
        skin = z[:, 0, 0].square() + z[:, 0, 1]
        eyes = z[:, 1, 1]
        return torch.stack([hair, skin, eyes], 1)[:, :, None, None] / 100


def colours(images):
    return dict(zip(("hair", "skin", "eyes"), images[..., 0, 0].unbind(1), strict=True))


@pytest.fixture(scope="module")
def found():
    """The probe, faces, their slopes, and the direction of the hair."""
    G, sd = Curved().requires_grad_(False), torch.full((3,), 1.275)
    nothing = torch.empty(3 * SIDE**2, 0, dtype=torch.float64)
    no_rest = Rest(nothing.sum(1), nothing, torch.empty(3, 0, dtype=torch.float64))
    measurements = Measurements("labelled", colours, far=True)
    probe = Probe(G, measurements, ["hair", "skin", "eyes"], torch.zeros(3), sd, no_rest)
    dice = torch.Generator().manual_seed(0)
    z = torch.randn(FACES // 2, Z_DIM, generator=dice)
    z = torch.cat([z, -z])  # so that its mean is 0
    faces = z[:, None].expand(-1, 2, -1)
    slopes = probe.slopes(faces, range(3))
    return probe, faces, slopes, pure_direction(probe, 0, slopes, faces, probe.table(faces).mean(0))


def shift(probe, faces, direction, far):
    return (probe.table(moved(faces, direction, far)) - probe.table(faces)).mean(0)


def test_what_moves_else_only_far_away_is_taken_out(found):
    probe, faces, slopes, direction = found
    # By the gradients alone both layers do as well, and at either end the skin has moved
    near = slopes[0] / slopes[0].norm() * 2**0.5
    for far in (FAR, -FAR):
        assert shift(probe, faces, near, far)[1] > 4
        hair, skin, eyes = shift(probe, faces, direction, far)
        assert abs(hair) > 3.5
        assert skin.abs() < 1
        assert eyes.abs() < 0.1
    assert direction[1, 0] > 3 * direction[0, 0].abs()


def test_the_length_is_one_on_average_over_places(found):
    *_, direction = found
    assert direction.square().sum(1).mean() == pytest.approx(1)


def test_parts_of_one_factor_are_not_taken_out_of_each_other(found):
    probe, faces, slopes, _ = found
    together = Measurements("labelled", colours, True, {"hair": "head", "skin": "head"})
    probe = replace(probe, measurements=together)
    direction = pure_direction(probe, 0, slopes, faces, probe.table(faces).mean(0))
    torch.testing.assert_close(direction, slopes[0] / slopes[0].norm() * 2**0.5)
