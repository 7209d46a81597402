import pytest
import torch
from conftest import dcgan
from counting import Counted
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d, interpolate

from ganface.models.dcgan import Discriminator, Generator
from ganface.models.kernels.layout import sum_of_pixels
from ganface.models.kernels.patches import RgbDown, RgbUp
from ganface.models.layers import (
    DownConv,
    LatentProjection,
    LogitHead,
    NearestUpConv,
    UpConv,
    by_plain_kernels,
    use_compiled,
)


def plain(module):
    """PyTorch's own forward of the same module."""
    kind = nn.ConvTranspose2d if isinstance(module, nn.ConvTranspose2d) else nn.Conv2d
    return lambda x: kind.forward(module, x)


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (DownConv(3, 5), (2, 3, 8, 8)),
        (DownConv(3, 5, bias=True), (2, 3, 8, 8)),
        (UpConv(5, 3), (2, 5, 4, 4)),
        (LogitHead(6), (2, 6, 4, 4)),
        (LatentProjection(7, 6), (2, 7, 1, 1)),
    ],
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_each_is_the_convolution_it_says(module, shape, layout):
    module = module.double().to(memory_format=layout)
    x = torch.randn(shape, dtype=torch.float64).to(memory_format=layout).requires_grad_()
    y, expected = module(x), plain(module)(x)
    torch.testing.assert_close(y, expected)
    dy = torch.randn_like(expected)
    inputs = (x, *module.parameters())
    gradients = torch.autograd.grad(y, inputs, dy)
    torch.testing.assert_close(gradients, torch.autograd.grad(expected, inputs, dy))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("fast", "slow", "shapes"),
    [
        (RgbDown, conv2d, ((2, 3, 8, 8), (5, 3, 4, 4), None)),
        (RgbDown, conv2d, ((2, 3, 8, 8), (5, 3, 4, 4), (5,))),
        (RgbUp, conv_transpose2d, ((2, 5, 4, 4), (5, 3, 4, 4))),
    ],
)
def test_products_with_patches_are_convolutions(fast, slow, shapes, layout):
    given = [shape and torch.randn(shape) for shape in shapes]
    for each in given[:2]:
        each.data = each.to(memory_format=layout)
    inputs = [each.requires_grad_() for each in given if each is not None]
    y, expected = fast.apply(*given), slow(*inputs, stride=2, padding=1)
    torch.testing.assert_close(y, expected)
    assert not y._is_view()
    dy = torch.randn_like(y)
    gradients = torch.autograd.grad(y, inputs, dy)
    torch.testing.assert_close(gradients, torch.autograd.grad(expected, inputs, dy))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_products_with_patches_are_those_of_half_precision_as_well(dtype):
    x, w = torch.randn(2, 3, 8, 8), torch.randn(5, 3, 4, 4)
    y = RgbDown.apply(x.to(dtype), w.to(dtype), None)
    expected = conv2d(x.to(dtype).float(), w.to(dtype).float(), stride=2, padding=1)
    torch.testing.assert_close(y.float(), expected, rtol=0.01, atol=0.05)


def test_the_sum_of_pixels_is_that_of_each_channel():
    images = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    torch.testing.assert_close(sum_of_pixels(images), images.sum((2, 3), keepdim=True))


def test_to_enlarge_is_to_make_pixels_larger_and_then_to_convolve():
    module, y = NearestUpConv(5, 3).double(), torch.randn(2, 5, 4, 4, dtype=torch.float64)
    nn.init.normal_(module.weight)
    enlarged = interpolate(y, scale_factor=2, mode="nearest")
    # A transposed convolution's weights are mirrored, and lie the other way round
    weight = module.weight.flip(2, 3).transpose(0, 1)
    torch.testing.assert_close(module(y), conv2d(enlarged, weight, padding=1))


def test_kernels_are_plain_within_a_block_alone():
    D = Discriminator(dcgan(32, width=16))
    halves = [module for module in D.modules() if isinstance(module, DownConv)]
    with pytest.raises(ValueError, match="stop"), by_plain_kernels(D):  # noqa: PT012
        assert all(module.plain for module in halves)
        raise ValueError("stop")
    assert not any(module.plain for module in halves)


@pytest.mark.parametrize(("upsample", "norm"), [("transposed", "batch"), ("nearest", "none")])
def test_compiled_networks_have_the_same_parameters_and_draw_the_same(upsample, norm):
    G, D = Generator(dcgan(32, 8, 16, upsample)), Discriminator(dcgan(32, width=16, norm=norm))
    for network in (G, D):
        network.initialise(torch.Generator().manual_seed(0))
    z = torch.randn(4, 8)
    images = G(z)
    logits = D(images)
    names = list(G.state_dict())
    use_compiled(G)
    use_compiled(D)
    assert list(G.state_dict()) == names
    torch.testing.assert_close(G(z), images, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(D(images), logits, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("layout", "product"), [(torch.channels_last, "bmm"), (torch.contiguous_format, "mm")]
)
def test_enlarged_kernels_are_3_by_3_weights_spread_by_a_box_in_one_product(layout, product):
    layer = NearestUpConv(3, 5).to(memory_format=layout)
    nn.init.normal_(layer.weight)
    expected = torch.zeros(3, 5, 4, 4)
    for row in (0, 1):
        for column in (0, 1):
            expected[:, :, row : row + 3, column : column + 3] += layer.weight
    with torch.no_grad(), Counted() as counted:
        kernel = layer.kernel()
    torch.testing.assert_close(kernel, expected)
    assert kernel.is_contiguous(memory_format=layout)
    computed = ("mm", "bmm", "clone", "copy_", "add")
    assert [name for name in counted.names if name in computed] == [product]
