import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from ganface.losses.variational import LEAST_LOG_SIGMA, gaussian_kl, optimal_gaussian_nll


def test_KL_is_that_of_two_gaussians():
    mean, log_variance = torch.randn(2, 5, 3, dtype=torch.float64).unbind()
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected)
    assert not gaussian_kl(torch.zeros(2, 3), torch.zeros(2, 3)).any()


@pytest.mark.parametrize("error", [1.0, 0.1, 0.001])
def test_the_error_is_the_variance_that_makes_images_most_likely(error):
    found = optimal_gaussian_nll(torch.tensor(error, dtype=torch.float64)).item()
    least = 0.5 * math.log(error) + 0.5
    assert found == pytest.approx(least, abs=0.02)  # the floor is soft
    for variance in (0.5 * error, 2 * error):
        assert 0.5 * math.log(variance) + error / (2 * variance) > found


def test_no_reconstruction_is_infinitely_likely():
    error = torch.tensor(0.0, requires_grad=True)
    found = optimal_gaussian_nll(error)
    assert found.item() >= LEAST_LOG_SIGMA
    found.backward()
    assert error.grad.isfinite()
