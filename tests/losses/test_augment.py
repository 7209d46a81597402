import pytest
import torch

from ganface.losses import augment as module
from ganface.losses.augment import AUGMENT_NOISE, SHIFT, random_changes

SIDE = 16
ALWAYS, NEVER = torch.tensor(1.0), torch.tensor(0.0)
# The columns of the dice: what is done if the first of a group is below the strength
COLOUR, BRIGHTNESS, SATURATION, CONTRAST, PLACE, DX, DY, HOLE, X, Y = range(AUGMENT_NOISE)
NONE = 0.999


def augment(images, thrown, p):
    return module.augment(images, random_changes(thrown, images.shape[-1]), p)


@pytest.fixture
def images():
    return torch.rand(6, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 2 - 1


def dice(count=6, **columns):
    """Dice by which nothing happens at a strength of 0.5, but for the named columns."""
    thrown = torch.full((count, AUGMENT_NOISE), NONE)
    for name, value in columns.items():
        thrown[:, globals()[name]] = value
    return thrown


HALF = torch.tensor(0.5)


def test_at_strength_0_images_stay_what_they_are(images):
    thrown = torch.rand(6, AUGMENT_NOISE, generator=torch.Generator().manual_seed(1))
    assert torch.equal(augment(images, thrown, NEVER), images)


def test_the_strength_is_the_chance_of_each_change():
    count, strength = 2000, 0.3
    images = torch.ones(count, 3, 8, 8)
    thrown = torch.rand(count, AUGMENT_NOISE, generator=torch.Generator().manual_seed(1))
    changed = augment(images, thrown, torch.tensor(strength)) != images
    expected = 1 - (1 - strength) ** 3  # a shift by 0 is no change: a little less
    assert expected - 0.05 < changed.any((1, 2, 3)).float().mean() < expected + 0.02


@pytest.mark.parametrize(("value", "moved"), [(0.0, -0.5), (0.5, 0.0), (0.9999, 0.5)])
def test_brightness_moves_all_pixels_alike(images, value, moved):
    seen = augment(images, dice(COLOUR=0, BRIGHTNESS=value, SATURATION=0.5, CONTRAST=0.5), HALF)
    torch.testing.assert_close(seen, images + moved, atol=1e-3, rtol=0)


def test_without_saturation_images_are_grey(images):
    seen = augment(images, dice(COLOUR=0, BRIGHTNESS=0.5, SATURATION=0, CONTRAST=0.5), HALF)
    torch.testing.assert_close(seen, images.mean(1, keepdim=True).expand_as(images))


def test_contrast_scales_about_the_mean_of_the_image(images):
    seen = augment(images, dice(COLOUR=0, BRIGHTNESS=0.5, SATURATION=0.5, CONTRAST=0.0), HALF)
    torch.testing.assert_close(seen.mean((1, 2, 3)), images.mean((1, 2, 3)))
    torch.testing.assert_close(seen.std((1, 2, 3)), images.std((1, 2, 3)) / 2)


def test_the_gradient_of_new_colours_is_what_it_says():
    images = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 4, dtype=torch.float64)
    torch.autograd.gradcheck(lambda each: module.Colour.apply(each, weights), images)


@pytest.mark.parametrize(("dx", "dy"), [(0.0, 0.5), (0.5, 0.9999), (0.9999, 0.0)])
def test_a_shift_moves_whole_pixels_and_leaves_grey_behind(images, dx, dy):
    reach = round(SIDE * SHIFT)
    right, down = (round((2 * reach) * d) - reach for d in (dx, dy))
    seen = augment(images, dice(PLACE=0, DX=dx, DY=dy), HALF)
    expected = torch.zeros_like(images)
    for y in range(SIDE):
        for x in range(SIDE):
            if 0 <= y - down < SIDE and 0 <= x - right < SIDE:
                expected[:, :, y, x] = images[:, :, y - down, x - right]
    assert torch.equal(seen, expected)


def test_a_hole_is_half_as_wide_as_the_image(images):
    seen = augment(images, dice(HOLE=0, X=0.5, Y=0.5), HALF)
    inside = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    inside[5:12, 5:12] = True
    assert not seen[:, :, inside].any()
    assert torch.equal(seen[:, :, ~inside], images[:, :, ~inside])


def test_each_image_has_dice_of_its_own(images):
    thrown = dice()
    thrown[2, COLOUR] = thrown[4, PLACE] = 0
    seen = augment(images, thrown, HALF)
    changed = (seen != images).any(3).any(2).any(1)
    assert changed.nonzero().flatten().tolist() == [2, 4]


def test_gradients_flow_through_it_as_differences_do():
    thrown = torch.rand(
        2, AUGMENT_NOISE, dtype=torch.float64, generator=torch.Generator().manual_seed(3)
    )
    images = torch.rand(2, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: augment(x, thrown, ALWAYS.double()), images)
