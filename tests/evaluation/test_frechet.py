import pytest
import torch

from ganface.evaluation.frechet import Gaussian, frechet_distance, gaussian_of

D = 6


def gaussian(mean, covariance):
    return Gaussian(mean.double(), covariance.double())


def test_a_shifted_gaussian_is_as_far_as_the_square_of_its_shift():
    shift = torch.tensor([3.0, 0, -4, 0, 0, 0])
    a = gaussian(torch.ones(D), 2 * torch.eye(D))
    b = gaussian(torch.ones(D) + shift, 2 * torch.eye(D))
    assert frechet_distance(a, b) == pytest.approx(25)


def test_a_scaled_covariance_differs_by_the_squares_of_standard_deviations():
    a = gaussian(torch.zeros(D), torch.diag(torch.arange(1.0, D + 1)))
    b = gaussian(torch.zeros(D), 9 * torch.diag(torch.arange(1.0, D + 1)))
    # Σ (σ_a - σ_b)² with σ_b = 3 σ_a
    assert frechet_distance(a, b) == pytest.approx(4 * sum(range(1, D + 1)))


def test_covariances_that_do_not_commute_give_the_trace_of_the_products_root():
    dice = torch.Generator().manual_seed(0)
    roots = torch.randn(2, D, D, generator=dice, dtype=torch.float64)
    first, second = roots @ roots.mT
    shared = torch.linalg.eigvals(first @ second).sqrt().sum().real
    expected = first.trace() + second.trace() - 2 * shared
    a, b = gaussian(torch.zeros(D), first), gaussian(torch.zeros(D), second)
    assert frechet_distance(a, b) == pytest.approx(expected.item())
    assert frechet_distance(b, a) == pytest.approx(expected.item())


def test_equal_gaussians_are_at_zero_even_where_the_covariance_is_singular():
    few = torch.randn(4, 50, generator=torch.Generator().manual_seed(0))
    assert frechet_distance(gaussian_of(few), gaussian_of(few)) == pytest.approx(0, abs=1e-5)


def test_statistics_are_those_of_the_features():
    features = torch.tensor([[0.0, 0], [2, 0], [0, 4], [2, 4]])
    found = gaussian_of(features)
    assert found.mean.tolist() == [1, 2]
    torch.testing.assert_close(
        found.covariance, torch.tensor([[4 / 3, 0], [0, 16 / 3]], dtype=torch.float64)
    )


def test_samples_of_known_gaussians_come_near_the_known_distance():
    dice = torch.Generator().manual_seed(0)
    a = torch.randn(20_000, 3, generator=dice)
    b = 2 * torch.randn(20_000, 3, generator=dice) + torch.tensor([1.0, 2, 2])
    found = frechet_distance(gaussian_of(a), gaussian_of(b))
    assert found == pytest.approx(9 + 3, rel=0.03)
