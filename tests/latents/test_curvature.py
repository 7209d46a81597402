import pytest
import torch

from ganface.latents.curvature import even_basis

SCALES = torch.tensor([10.0, 1.0, 0.1, 0.0])
ERROR, PRIOR = 0.5, 0.2


def turned(generator):
    """An orthogonal matrix [4, 4]."""
    return torch.linalg.qr(torch.randn(4, 4, generator=generator)).Q


def test_in_its_coordinates_the_curvature_is_even():
    dice = torch.Generator().manual_seed(0)
    A = turned(dice) * SCALES @ turned(dice)
    z = torch.randn(2000, 4, generator=dice)
    B = even_basis(lambda z: z @ A, z, 4, ERROR, PRIOR)
    curvature = B.T @ (2 * A @ A.T / ERROR + 2 * PRIOR / 4 * torch.eye(4)) @ B
    torch.testing.assert_close(curvature / curvature[0, 0], torch.eye(4), rtol=0.05, atol=0.05)
    torch.testing.assert_close(B.norm(dim=0).mean(), torch.tensor(1.0))


def test_points_may_have_several_places():
    z = torch.randn(500, 2, 2, generator=torch.Generator().manual_seed(0))
    B = even_basis(lambda z: z.flatten(1) * SCALES, z, 2, ERROR, PRIOR)
    lengths = (2 * SCALES**2 / ERROR + 2 * PRIOR / 4).rsqrt()
    expected = lengths / lengths.mean()
    torch.testing.assert_close(B.norm(dim=0).sort().values, expected, rtol=0.01, atol=0)


def test_what_draws_one_thing_alone_has_no_way_that_matters_more():
    z = torch.randn(10, 3)
    B = even_basis(lambda z: 0 * z, z, 3, ERROR, PRIOR)
    torch.testing.assert_close(B.abs(), torch.eye(3))


def test_labels_that_follow_z_are_no_way_to_go():
    latents = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    B = even_basis(lambda z: z * torch.tensor([10.0, 1.0, 100.0]), latents, 2, ERROR, PRIOR)
    assert B.shape == (2, 2)
    assert B[0].abs().tolist() == pytest.approx([0, 0.18], abs=0.05)  # the shorter way matters more
