import torch

from ganface.latents.ridge import ridge


def points(count, dims, seed=0):
    return torch.randn(count, dims, generator=torch.Generator().manual_seed(seed))


def test_what_is_linear_is_found_exactly():
    x, weights = points(60, 5), points(5, 3, 1).double()
    fit = ridge(x, x.double() @ weights + 2)
    torch.testing.assert_close(fit.weights, weights, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(fit.offset, torch.full((3,), 2.0).double(), rtol=1e-4, atol=0)
    assert (fit.r2 > 0.9999).all()
    torch.testing.assert_close(fit(x), x.double() @ weights + 2, rtol=1e-4, atol=1e-4)


def test_r2_is_that_of_leaving_out_each_point_and_fitting_anew():
    x = points(30, 4)
    y = (x[:, :1] + points(30, 1, 1)).double()
    fit = ridge(x, y)
    inner = x.double() - x.double().mean(0)
    # Which penalty was chosen, the weights tell: (XᵀX + penalty) w = Xᵀy
    rest = inner.T @ (y - y.mean(0)) - inner.T @ inner @ fit.weights
    penalty = (fit.weights.T @ rest / fit.weights.square().sum()).item()
    assert penalty > 0.01
    errors = []
    for out in range(30):
        kept = [i for i in range(30) if i != out]
        a, b = x[kept].double(), y[kept]
        centred = a - a.mean(0)
        system = centred.T @ centred + penalty * torch.eye(4)
        weights = torch.linalg.solve(system, centred.T @ (b - b.mean(0)))
        errors.append(y[out] - b.mean(0) - (x[out].double() - a.mean(0)) @ weights)
    expected = 1 - torch.cat(errors).square().sum() / (y - y.mean(0)).square().sum()
    torch.testing.assert_close(fit.r2[0], expected)


def test_noise_and_constants_are_not_told():
    fit = ridge(points(200, 10), torch.cat([points(200, 1, 1), torch.ones(200, 1)], 1))
    assert fit.r2[0] < 0.1
    assert fit.r2[1] == 0
    assert fit.weights[:, 1].abs().max() < 1e-9
