import pytest
import torch
from floors import Layer, layers_of, update_bytes, update_flops
from reference_dcgan import discriminator, generator
from torch.utils.flop_counter import FlopCounterMode


@pytest.mark.parametrize("size", [32, 64, 128])
def test_the_layers_do_the_arithmetic_that_pytorch_counts(size):
    with FlopCounterMode(display=False) as counted:
        discriminator(size, 4)(generator(size, 8, 4)(torch.randn(3, 8, 1, 1)))
    layers = layers_of("G", size, 8, 4) + layers_of("D", size, 8, 4)
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
    # z [2] -> [4, 4, 4] -> [2, 8, 8] -> [1, 16, 16] -> [3, 32, 32], and back to one logit
    G = [Layer(2, 1, 4, 4), Layer(4, 4, 2, 8), Layer(2, 8, 1, 16), Layer(1, 16, 3, 32)]
    D = [Layer(3, 32, 1, 16), Layer(1, 16, 2, 8), Layer(2, 8, 4, 4), Layer(4, 4, 1, 1)]
    assert (layers_of("G", 32, 2, 1), layers_of("D", 32, 2, 1)) == (G, D)
    batch = 5

    def moved(layers, first, others):
        numbers = [batch * layer.activations + layer.weights for layer in layers]
        return first * numbers[0] + others * sum(numbers[1:])

    numbers = moved(D, 6, 8) + moved(G, 2, 3)
    weights_G, weights_D = 16 * (8 + 8 + 2 + 3), 16 * (3 + 2 + 8 + 4)
    assert weights_G == sum(layer.weights for layer in G)
    state = 4 * (7 * (weights_G + weights_D) + 3 * weights_G)  # Adam's, and the average of G
    assert update_bytes(32, 2, 1, batch, "bf16") == 2 * numbers + state
    assert update_bytes(32, 2, 1, batch, "fp32") == 4 * numbers + state
