import pytest
import torch
from discs import discs

from ganface.evaluation.frechet import frechet_distance, gaussian_of
from ganface.models.features import DIM, RandomFeatures


@pytest.fixture(scope="module")
def features_of():
    return RandomFeatures()


@pytest.fixture(scope="module")
def distance(features_of):
    """distance(images): of 1000 discs from these."""
    reals = gaussian_of(features_of(discs(0, 1000)))
    return lambda images: frechet_distance(reals, gaussian_of(features_of(images)))


@pytest.fixture(scope="module")
def least(distance):
    """How far other images of the same kind are."""
    return distance(discs(1, 1000))


@pytest.mark.parametrize("size", [16, 32, 64, 128, 256])
def test_the_number_of_features_is_the_same_for_every_size(features_of, size):
    found = features_of(discs(0, 2, size))
    assert found.shape == (2, DIM)
    assert found.dtype == torch.float32
    assert found.isfinite().all()


def test_features_are_those_of_their_name(features_of):
    """Figures of old evaluations would not compare: another NAME is needed if this changes."""
    found = features_of(discs(0, 4)).double()
    assert found.mean().item() == pytest.approx(1.3840258, rel=1e-4)
    assert found.square().mean().item() == pytest.approx(4.0730317, rel=1e-4)


def test_an_image_has_the_same_features_whatever_it_is_batched_with(features_of):
    images = discs(0, 10)
    torch.testing.assert_close(features_of(images)[3:5], features_of(images[3:5]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda images: images[:20].repeat(50, 1, 1, 1),
        lambda images: images.roll(16, 2),
        lambda images: images.flip(1),
        lambda images: images // 2,
        lambda images: images[:, :, ::4, ::4].repeat_interleave(4, 2).repeat_interleave(4, 3),
        lambda images: torch.where(torch.rand(1000, 1, 32, 32) < 0.1, 255, images),
    ],
    ids=["few kinds", "halves swapped", "other colours", "darker", "coarse", "speckled"],
)
def test_spoilt_images_are_further_than_others_of_the_same_kind(distance, least, spoil):
    assert distance(spoil(discs(1, 1000))) > 2 * least
