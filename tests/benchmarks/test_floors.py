import pytest
import torch
from floors import Layer, discriminator_layers, generator_layers, update_bytes, update_flops
from reference_dcgan import discriminator, generator
from torch.utils.flop_counter import FlopCounterMode


@pytest.mark.parametrize("size", [32, 64, 128])
def test_the_layers_do_the_arithmetic_that_pytorch_counts(size):
    with FlopCounterMode(display=False) as counted:
        discriminator(size, 4)(generator(size, 8, 4)(torch.randn(3, 8, 1, 1)))
    layers = generator_layers(size, 8, 4) + discriminator_layers(size, 4)
    assert counted.get_total_flops() == 2 * 3 * sum(layer.multiply_adds for layer in layers)


def test_an_update_is_eleven_passes_less_the_two_that_nobody_needs():
    # Multiply-adds of an image, from the paper's shapes: three layers of 64 -> 128 at 32 × 32 or
    # its like, and the ones at the ends
    inner = 3 * (64 * 128 * 16 * 16 * 16)
    to_image = 3 * 64 * 16 * 32 * 32
    from_z = 100 * 512 * 16
    G = from_z + inner + to_image
    D = to_image + inner + 512 * 16
    wanted = 8 * D - 2 * to_image + 3 * G - from_z
    assert wanted == 1_137_311_744
    assert update_flops(64, 100, 64, 1) == 2 * wanted
    assert update_flops(64, 100, 64, 64) == 64 * 2 * wanted


def test_bytes_are_those_of_each_pass_and_of_the_optimisers():
    # One doubling: z [2] -> [1, 4, 4] -> [3, 8, 8], and back to one logit
    G = [Layer(2, 1, 1, 4), Layer(1, 4, 3, 8)]
    D = [Layer(3, 8, 1, 4), Layer(1, 4, 1, 1)]
    assert (generator_layers(8, 2, 1), discriminator_layers(8, 1)) == (G, D)
    batch = 5
    numbers = 6 * (batch * (192 + 16) + 48) + 8 * (batch * (16 + 1) + 16)  # D
    numbers += 2 * (batch * (2 + 16) + 32) + 3 * (batch * (16 + 192) + 48)  # G
    adam, average = 7 * (48 + 16 + 32 + 48), 3 * (32 + 48)
    assert update_bytes(8, 2, 1, batch, "bf16") == 2 * numbers + 4 * (adam + average)
    assert update_bytes(8, 2, 1, batch, "fp32") == 4 * numbers + 4 * (adam + average)
