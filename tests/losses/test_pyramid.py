import torch

from ganface.losses.pyramid import _enlarge, laplacian_pyramid


def test_the_pyramid_holds_all_of_the_image():
    images = torch.randn(2, 3, 64, 64)
    fine, middle, coarse = laplacian_pyramid(images)
    torch.testing.assert_close(fine + _enlarge(middle + _enlarge(coarse)), images)


def test_a_plain_image_has_no_detail_and_keeps_its_colour():
    images = torch.full((1, 3, 64, 64), 90.0)
    fine, middle, coarse = laplacian_pyramid(images)
    inner = slice(2, -2)  # reflected edges meet the grid of zeros unevenly
    assert fine[:, :, inner, inner].abs().max() < 1e-3
    assert middle[:, :, inner, inner].abs().max() < 1e-3
    torch.testing.assert_close(coarse, torch.full((1, 3, 16, 16), 90.0))
