import pytest
import torch
from torch import nn

from ganface.models.convolutions import Double, Gather, Halve, Spread, use_compiled
from ganface.models.dcgan import Discriminator, Generator


def plain(module):
    """PyTorch's own forward of the same module."""
    kind = nn.ConvTranspose2d if isinstance(module, nn.ConvTranspose2d) else nn.Conv2d
    return lambda x: kind.forward(module, x)


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (Halve(3, 5), (2, 3, 8, 8)),
        (Double(5, 3), (2, 5, 4, 4)),
        (Gather(6), (2, 6, 4, 4)),
        (Spread(7, 6), (2, 7, 1, 1)),
    ],
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_each_is_the_convolution_it_says(module, shape, layout):
    module = module.double().to(memory_format=layout)
    x = torch.randn(shape, dtype=torch.float64).to(memory_format=layout).requires_grad_()
    y, expected = module(x), plain(module)(x)
    torch.testing.assert_close(y, expected)
    dy = torch.randn_like(expected)
    inputs = (x, module.weight)
    gradients = torch.autograd.grad(y, inputs, dy)
    torch.testing.assert_close(gradients, torch.autograd.grad(expected, inputs, dy))


def test_compiled_networks_have_the_same_parameters_and_draw_the_same():
    G, D = Generator(32, 8, 16), Discriminator(32, 16)
    z = torch.randn(4, 8)
    images = G(z)
    logits = D(images)
    names = list(G.state_dict())
    use_compiled(G)
    use_compiled(D)
    assert list(G.state_dict()) == names
    torch.testing.assert_close(G(z), images, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(D(images), logits, rtol=1e-3, atol=1e-5)
