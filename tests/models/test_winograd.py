"""The compiled convolutions against PyTorch's in float64."""

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from ganface.models.kernels import winograd
from ganface.models.kernels.winograd import POINTS, double, halve, tile_of, toom_cook
from ganface.system.compiler import CannotCompile


@pytest.fixture(autouse=True, scope="module")
def _compiler():
    try:
        winograd.load_libraries(torch.float32)
    except CannotCompile as error:
        pytest.skip(f"no kernels to test: {error}")


def relative(a, b):
    return ((a.double() - b).norm() / b.norm()).item()


def draw(*shape, dtype=torch.float32, seed=0):
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return values.to(dtype).contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("points", POINTS.values())
def test_toom_cook_filters_with_one_more_product_than_outputs(points):
    AT, G, BT = toom_cook(points)
    d, g = torch.randn(len(points) + 1).double(), torch.randn(2).double()
    expected = g[0] * d[:-1] + g[1] * d[1:]
    torch.testing.assert_close(AT @ ((G @ g) * (BT @ d)), expected)
    assert len(BT) == len(points) + 1


# The sizes of 64 × 64 networks at width 16, and the first layer with its three channels; with the
# edges of an image, tiles beside tiles and one alone
SHAPES = [(2, 3, 16, 64), (2, 16, 32, 32), (3, 32, 16, 16), (2, 16, 32, 8)]
BOUNDS = {torch.float32: 4e-6, torch.bfloat16: 9e-3}


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize(("batch", "C", "K", "side"), SHAPES)
@pytest.mark.parametrize("transposed", [False, True])
def test_outputs_and_gradients_are_those_of_pytorch(dtype, batch, C, K, side, transposed):
    fast, exact = (double, conv_transpose2d) if transposed else (halve, conv2d)
    channels, S = (K, side // 2) if transposed else (C, side)
    x = draw(batch, channels, S, S, dtype=dtype).requires_grad_()
    w = draw(K, C, 4, 4, seed=1).requires_grad_()
    y = fast(x, w)
    reference_x, reference_w = (t.detach().double().requires_grad_() for t in (x, w))
    reference = exact(reference_x, reference_w, stride=2, padding=1)
    assert (y.shape, y.dtype) == (reference.shape, dtype)
    assert y.is_contiguous(memory_format=torch.channels_last)
    dy = draw(*y.shape, dtype=dtype, seed=2)
    y.backward(dy)
    reference.backward(dy.double())
    assert relative(y, reference) < BOUNDS[dtype]
    assert relative(x.grad, reference_x.grad) < BOUNDS[dtype]
    assert relative(w.grad, reference_w.grad) < BOUNDS[dtype]
    assert w.grad.dtype == torch.float32


def test_any_memory_layout_is_taken():
    w = draw(32, 16, 4, 4, seed=1)
    x = draw(2, 16, 16, 16)
    y = halve(x, w)
    assert torch.equal(halve(x.contiguous(), w.contiguous()), y)
    y.requires_grad_()
    assert torch.equal(double(y.contiguous(), w), double(y, w))


def test_autocast_s_dtype_is_used():
    with torch.autocast("cpu", torch.bfloat16):
        assert halve(draw(2, 16, 16, 16), draw(16, 16, 4, 4)).dtype == torch.bfloat16


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_a_number_does_not_vanish(value):
    for dtype in BOUNDS:
        x = draw(1, 16, 16, 16, dtype=dtype)
        x[0, 3, 5, 5] = value
        assert not halve(x, draw(16, 16, 4, 4)).isfinite().all()


def test_gradients_that_nobody_needs_are_not_computed():
    x, w = draw(1, 16, 16, 16), draw(16, 16, 4, 4)
    halve(x, w.requires_grad_()).sum().backward()
    assert x.grad is None
    halve(x.requires_grad_(), w.detach()).sum().backward()
    assert x.grad is not None


@pytest.mark.parametrize(("C", "K", "side"), [(8, 16, 16), (16, 8, 16), (16, 16, 12)])
def test_sizes_that_do_not_fit_are_left_to_pytorch(C, K, side):
    assert halve(draw(1, C, side, side), draw(K, C, 4, 4)) is None
    assert double(draw(1, K, side // 2, side // 2), draw(K, C, 4, 4)) is None


def test_bf16_keeps_its_few_bits_with_smaller_tiles():
    for side in (4, 8, 16, 32):
        small, large = tile_of(torch.bfloat16, side), tile_of(torch.float32, side)
        assert small[0] * small[1] < large[0] * large[1]
