import pytest
import torch
from conftest import dcgan
from torch import nn

from ganface.config.architecture import SIZES
from ganface.errors import UserError
from ganface.models.dcgan import (
    Discriminator,
    Generator,
    ScaleAndShift,
    SelfModulatedBatchNorm,
    apply_spectral_norm,
    hidden_of,
)


def trainable(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("batch", [1, 3])
def test_shapes_and_ranges_are_as_documented(size, batch):
    G, D = Generator(dcgan(size, 8, 4)).eval(), Discriminator(dcgan(size, width=4)).eval()
    G.initialise(torch.Generator().manual_seed(0))
    images = G(100 * torch.randn(batch, 8, generator=torch.Generator().manual_seed(1)))
    assert images.shape == (batch, 3, size, size)
    assert images.abs().max() <= 1
    assert D(images).shape == (batch,)


@pytest.mark.parametrize("modulate", [True, False])
def test_a_z_for_each_place_draws_what_one_z_draws_where_they_are_equal(modulate):
    G = Generator(dcgan(32, 8, 4, modulate=modulate)).eval()
    G.initialise(torch.Generator().manual_seed(0))
    z = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
    spread = z[:, None].repeat(1, G.places, 1)
    torch.testing.assert_close(G(spread), G(z))
    for place in range(G.places):  # each is read
        other = spread.clone()
        other[:, place] += 1
        assert (G(other) - G(z)).abs().flatten(1).amax(1).min() > 1e-6


def test_a_size_that_the_networks_cannot_do_is_refused_by_name():
    with pytest.raises(UserError, match=r"--size 48.*32, 64, 128, 256"):
        dcgan(48)


def test_parameter_counts_are_those_of_the_paper_s_networks():
    assert trainable(Generator(dcgan(64, 100, 64))) == 3_576_704
    assert trainable(Discriminator(dcgan(64, width=64))) == 2_765_568


def test_D_gives_logits_not_probabilities():
    D = Discriminator(dcgan(32, width=4))
    D.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in D.layers[-1].parameters():
            parameter.mul_(100)
    logits = D(torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(1)))
    assert logits.min() < 0
    assert logits.max() > 1


@pytest.mark.parametrize("network", [Generator, Discriminator])
def test_weights_start_as_the_paper_says(network):
    network = network(dcgan(64, 100, 16))
    network.initialise(torch.Generator().manual_seed(0))
    convolutions = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
    assert len(convolutions) == 5
    weights = torch.cat([m.weight.flatten() for m in convolutions])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert weights.mean().item() == pytest.approx(0, abs=2e-4)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    scales = torch.cat([norm.weight for norm in norms])
    assert scales.std().item() == pytest.approx(0.02, rel=0.3)
    assert scales.mean().item() == pytest.approx(1, abs=0.01)
    assert not any(norm.bias.any() for norm in norms)


def test_the_start_is_a_function_of_the_generator_alone():
    weights = []
    for seed, noise in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(noise)
        G = Generator(dcgan(32, 8, 4))
        G.initialise(torch.Generator().manual_seed(seed))
        weights.append(torch.cat([p.flatten() for p in G.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_without_BatchNorm_weights_start_at_a_scale_that_carries_through():
    D = Discriminator(dcgan(64, width=16, norm="none"))
    D.initialise(torch.Generator().manual_seed(0))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in D.modules())
    logits = D(torch.randn(64, 3, 64, 64, generator=torch.Generator().manual_seed(1)))
    assert 0.1 < logits.std() < 10


def test_without_BatchNorm_a_logit_is_a_function_of_its_image_alone():
    D = Discriminator(dcgan(32, width=4, norm="none"))
    D.initialise(torch.Generator().manual_seed(0))
    images = torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(D(images)[2:4], D(images[2:4]))


def test_constrained_weights_have_a_largest_singular_value_of_1():
    weights = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        D = Discriminator(dcgan(32, width=4, norm="none"))
        D.initialise(torch.Generator().manual_seed(0))
        apply_spectral_norm(D, torch.Generator().manual_seed(3))
        before = torch.get_rng_state()
        for _ in range(50):
            D(torch.zeros(1, 3, 32, 32))
        assert torch.equal(torch.get_rng_state(), before)
        weights.append([m.weight.detach() for m in D.modules() if isinstance(m, nn.Conv2d)])
    assert len(weights[0]) == 4
    assert all(map(torch.equal, *weights))  # nothing in them depends on the global generator
    for weight in weights[0]:
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, rel=0.02)


def test_modulated_channels_are_normalised_then_scaled_and_shifted_by_z():
    layers = [SelfModulatedBatchNorm(channels, 8).double() for channels in (6, 3)]
    z = torch.randn(5, 8, dtype=torch.float64)
    for layer, found in zip(layers, hidden_of(layers, z), strict=True):
        nn.init.normal_(layer.scale.weight)
        nn.init.normal_(layer.shift.weight)
        x = torch.randn(5, layer.norm.num_features, 4, 4, dtype=torch.float64)
        hidden = layer.hidden(z).relu()
        scale, shift = (y[:, :, None, None] for y in (1 + layer.scale(hidden), layer.shift(hidden)))
        expected = nn.BatchNorm2d(x.shape[1]).double()(x) * scale + shift
        torch.testing.assert_close(layer(x, found), expected)


def test_to_scale_and_shift_has_the_gradients_of_what_it_does():
    shapes = ((2, 3, 4, 4), (2, 3, 1, 1), (2, 3, 1, 1))
    x, scale, shift = (torch.randn(s, dtype=torch.float64, requires_grad=True) for s in shapes)
    torch.testing.assert_close(ScaleAndShift.apply(x, scale, shift), x * (1 + scale) + shift)
    torch.autograd.gradcheck(ScaleAndShift.apply, (x, scale, shift))


def test_z_reaches_every_layer_of_a_modulated_G():
    G = Generator(dcgan(32, 8, 4, modulate=True))
    G.initialise(torch.Generator().manual_seed(0))
    layers = [layer for layer in G.layers if isinstance(layer, SelfModulatedBatchNorm)]
    assert len(layers) == 3
    G(torch.randn(4, 8)).sum().backward()
    assert all(layer.hidden.weight.grad.any() for layer in layers)
    assert not any(layer.scale.bias.any() or layer.shift.bias.any() for layer in layers)
