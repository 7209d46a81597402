import pytest
import torch

from ganface.losses.reconstruction import l1, l2, laplacian_l1


def test_images_themselves_have_no_distance():
    images = torch.randn(2, 3, 32, 32)
    assert l1(images, images) == l2(images, images) == laplacian_l1(images, images) == 0


def test_an_even_shift_is_seen_at_the_coarsest_level_alone():
    images = torch.randn(2, 3, 64, 64)
    shifted = laplacian_l1(images + 0.3, images)
    assert shifted == pytest.approx(0.3, abs=0.02)  # but for the edges


def test_fine_detail_counts_more_than_pixel_by_pixel():
    """Lines that are shifted by their width: a blur is nearer for l1, not for the pyramid's."""
    lines = torch.zeros(1, 3, 32, 32)
    lines[..., ::2] = 1.0
    grey, moved = torch.full_like(lines, 0.5), lines.roll(1, 3)
    assert l1(grey, lines) == 0.5
    assert laplacian_l1(moved, lines) > laplacian_l1(grey, lines) > 0.45
