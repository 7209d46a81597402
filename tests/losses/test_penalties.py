"""Against what can be worked out by hand, and against differences of values."""

import pytest
import torch
from conftest import dcgan
from torch import nn

from ganface.losses.penalties import one_centred, zero_centred
from ganface.models.dcgan import Discriminator
from ganface.models.kernels.winograd import load_libraries
from ganface.models.layers import DownConv, use_compiled
from ganface.system.compiler import CannotCompile


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Linear(nn.Module):
    """D(x) = slope · Σ x, whose gradient is `slope` in every one of the 3 · 4 · 4 entries."""

    def __init__(self, slope):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))

    def forward(self, images):
        return self.slope * images.sum((1, 2, 3))


class Cubic(nn.Module):
    """D(x) = Σ x³ / 3, whose gradient is x²."""

    def forward(self, images):
        return images.pow(3).sum((1, 2, 3)) / 3


def test_of_a_linear_D_only_the_slope_counts():
    images, others, mix = noise(0, 5, 3, 4, 4), noise(1, 5, 3, 4, 4), noise(2, 5).sigmoid()
    length = 0.5 * 48**0.5
    D = Linear(0.5)
    assert zero_centred(D, images).mean().item() == pytest.approx(length**2 / 2)
    assert one_centred(D, images, others, mix).item() == pytest.approx((length - 1) ** 2)


def test_the_gradients_are_those_at_the_images_and_between_them():
    reals, fakes = torch.full((2, 3, 4, 4), 1.0), torch.full((2, 3, 4, 4), 3.0)
    assert zero_centred(Cubic(), fakes).mean().item() == pytest.approx(48 * 9**2 / 2)
    mix = torch.tensor([0.0, 0.5])  # x = 1 and 2, gradients of 1 and 4 in 48 entries
    lengths = [48**0.5, 4 * 48**0.5]
    expected = sum((length - 1) ** 2 for length in lengths) / 2
    assert one_centred(Cubic(), reals, fakes, mix).item() == pytest.approx(expected)


def test_images_get_no_gradient_of_a_penalty():
    images = noise(0, 2, 3, 4, 4).requires_grad_()
    zero_centred(Linear(0.5), images).sum().backward()
    assert images.grad is None


@pytest.fixture
def D():
    D = Discriminator(dcgan(32, width=16, norm="none"))
    D.initialise(torch.Generator().manual_seed(0))
    return D


def penalty(D):
    reals, fakes = (noise(seed, 4, 3, 32, 32).tanh().to(D.layers[0].weight) for seed in (1, 2))
    mix = noise(3, 4).sigmoid().to(reals)
    return zero_centred(D, reals).mean() + one_centred(D, reals, fakes, mix)


def test_their_gradients_are_differences_of_their_values(D):
    """A step along a direction changes the penalty by gradient · direction, for every weight."""
    D.double()
    weights = [p for name, p in D.named_parameters() if "weight" in name]
    gradients = torch.autograd.grad(penalty(D), weights)
    for seed, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
        direction = 1e-7 * noise(seed, *weight.shape).to(weight)
        weight.data += direction
        after = penalty(D).item()
        weight.data -= 2 * direction
        before = penalty(D).item()
        weight.data += direction
        assert (gradient * direction).sum().item() == pytest.approx((after - before) / 2, rel=1e-4)


def test_compiled_kernels_which_have_no_second_derivative_stay_out(D):
    try:
        load_libraries(torch.float32)
    except CannotCompile as error:
        pytest.skip(f"nothing to compile with: {error}")
    D.to(memory_format=torch.channels_last)
    weights = [p for name, p in D.named_parameters() if "weight" in name]
    expected = torch.autograd.grad(penalty(D), weights)
    use_compiled(D)
    assert all(map(torch.equal, torch.autograd.grad(penalty(D), weights), expected))
    assert all(module.compiled for module in D.modules() if isinstance(module, DownConv))

    require_once_differentiable(D)


def require_once_differentiable(D):
    images = noise(1, 4, 3, 32, 32).requires_grad_()
    (gradient,) = torch.autograd.grad(D(images).sum(), images, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.square().sum().backward()


def test_neither_do_those_of_a_gpu(D, monkeypatch):
    """D's first layer in autocast, as if on a GPU whose autocast were to float32."""
    weights = list(D.parameters())
    expected = torch.autograd.grad(penalty(D), weights)
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda device: device == "cuda")
    monkeypatch.setattr(torch, "get_autocast_dtype", lambda _: torch.float32)
    require_once_differentiable(D)
    torch.testing.assert_close(torch.autograd.grad(penalty(D), weights), expected)


def test_in_autocast_they_are_computed_in_bf16_but_not_in_fp16(D):
    weights = [p for name, p in D.named_parameters() if "weight" in name]
    exactly = torch.autograd.grad(penalty(D), weights)
    with torch.autocast("cpu", torch.float16):
        found = penalty(D)
    assert all(map(torch.equal, torch.autograd.grad(found, weights), exactly))
    with torch.autocast("cpu", torch.bfloat16):
        found = penalty(D)
    for each, exact in zip(torch.autograd.grad(found, weights), exactly, strict=True):
        assert each.dtype == torch.float32
        assert 1e-4 < (each - exact).norm() / exact.norm() < 0.05
