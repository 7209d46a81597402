import pytest
import torch
from torch.nn.functional import interpolate

from ganface.evaluation.sliced_wasserstein import (
    DIRECTIONS,
    PATCHES,
    patches_of,
    patches_per_image,
    project,
    scales,
    sliced_wasserstein,
)


def noise(seed, count=40, size=32):
    dice = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, size, size), generator=dice, dtype=torch.uint8)


def distances(a, b, per_image=32):
    levels = zip(
        patches_of(a, per_image).unbind(1), patches_of(b, per_image).unbind(1), strict=True
    )
    return [sliced_wasserstein(project(x), project(y)).item() for x, y in levels]


@pytest.mark.parametrize(("size", "sides"), [(32, [32, 16]), (128, [128, 64, 32, 16])])
def test_scales_halve_down_to_16(size, sides):
    assert scales(size) == sides


def test_patches_are_cut_out_of_the_level_colour_by_colour():
    image = torch.arange(3 * 16 * 16, dtype=torch.uint8).view(1, 3, 16, 16)
    patches = patches_of(image, 5)
    assert patches.shape == (1, 1, 5, 3 * 49)
    windows = (
        image[0].float().unfold(1, 7, 1).unfold(2, 7, 1).permute(1, 2, 0, 3, 4).reshape(-1, 147)
    )
    for patch in patches[0, 0]:
        assert (windows == patch).all(1).any()


def test_equal_sets_are_at_zero():
    assert distances(noise(0), noise(0)) == [0, 0]


def test_points_moved_along_every_direction_are_as_far_as_they_moved():
    places = torch.arange(10.0).repeat(DIRECTIONS, 1)
    assert sliced_wasserstein(places + 0.25, places) == pytest.approx(250)
    assert sliced_wasserstein(2 * places, places) == pytest.approx(1000 * 4.5)


def test_projections_of_normal_patches_are_normal_in_every_direction():
    dice = torch.Generator().manual_seed(1)
    projected = project(5 + 3 * torch.randn(400, 10, 147, generator=dice))
    assert projected.shape == (DIRECTIONS, 4000)
    assert projected.mean() == pytest.approx(0, abs=0.01)
    assert (projected.std(1) - 1).abs().max() < 0.05
    assert (projected.diff(dim=1) >= 0).all()


def soft(seed):
    small = noise(seed, count=100, size=8).float()
    return interpolate(small, size=32, mode="bilinear").to(torch.uint8) // 2 + 60


def test_stripes_of_a_pixel_are_far_at_the_fine_scale_alone():
    a, b = soft(0), soft(1)
    stripes = torch.tensor([0, 40], dtype=torch.uint8).repeat(16)
    same, striped = distances(a, b), distances(a, b + stripes)
    assert striped[0] > 4 * same[0]
    assert striped[1] == pytest.approx(same[1], rel=0.3)


def test_brightness_and_contrast_alone_make_no_difference():
    a = noise(0)
    assert distances(a, a // 2 + 60) == pytest.approx([0, 0], abs=8)


def test_the_number_of_patches_is_bounded():
    assert patches_per_image(10) == 128
    assert patches_per_image(5000) * 5000 <= PATCHES
    assert patches_per_image(10**6) == 1
