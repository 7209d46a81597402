import pytest
import torch
from torch.nn.functional import avg_pool2d

from ganface.evaluation.memorisation import (
    COMMON,
    evened,
    memorised,
    near_distances,
    nearest,
    ranked,
    thumbnails,
)


def images(seed, count, size=32):
    """Soft patterns, none like another."""
    dice = torch.Generator().manual_seed(seed)
    small = torch.randint(0, 256, (count, 3, 8, 8), generator=dice, dtype=torch.uint8)
    return small.repeat_interleave(size // 8, 2).repeat_interleave(size // 8, 3)


@pytest.fixture(scope="module")
def training():
    return evened(images(0, 200))


def share(samples, training):
    near, _ = near_distances(training, torch.arange(100))
    return memorised(nearest(evened(samples), training).distances, near)


def test_copies_are_found_at_distance_zero(training):
    found = nearest(training[[7, 150]], training)
    assert found.indices.tolist() == [7, 150]
    assert found.distances.tolist() == [0, 0]
    assert found.mirrored.tolist() == [False, False]


def test_mirrored_copies_are_found_as_well(training):
    found = nearest(evened(images(0, 200)[:3].flip(3)), training)
    assert found.indices.tolist() == [0, 1, 2]
    assert found.distances.tolist() == [0, 0, 0]
    assert found.mirrored.all()


@pytest.mark.parametrize(("contrast", "brightness"), [(1, 20), (0.3, 0), (0.3, 170)])
def test_a_copy_that_is_paler_is_a_copy(training, contrast, brightness):
    pale = images(0, 200)[5:6].float() * contrast + brightness
    found = nearest(evened(pale), training)
    assert found.indices.tolist() == [5]
    assert found.distances.item() == pytest.approx(0, abs=1e-5)


def test_pale_images_are_not_alike_for_being_pale(training):
    pale = images(3, 100).float() * 0.2 + 180
    found = nearest(evened(pale), training)
    bright = nearest(evened(images(3, 100)), training)
    torch.testing.assert_close(found.distances, bright.distances)


def test_distances_are_in_deviations_of_an_image():
    wave = torch.linspace(0, 6.28, 17)[:16].sin()
    across = (100 + 50 * wave[None, :] + 0 * wave[:, None]).expand(1, 3, 16, 16)
    found = nearest(evened(across.transpose(2, 3)), evened(across))
    assert found.distances.item() == pytest.approx(2**0.5, rel=0.01)  # they have nothing in common


def test_an_image_of_one_colour_is_near_to_nothing_but_its_like(training):
    plain = torch.full((1, 3, 32, 32), 90.0)
    assert nearest(evened(plain), training).distances.item() == pytest.approx(1, abs=0.01)
    assert nearest(evened(plain), evened(plain / 2)).distances.item() == 0


def test_neighbours_are_ranked_and_the_first_is_the_nearest(training):
    new = evened(images(4, 10))
    found, first = ranked(new, training, 5), nearest(new, training)
    assert found.distances.shape == found.indices.shape == found.mirrored.shape == (10, 5)
    assert (found.distances.diff(dim=1) >= -1e-4).all()
    assert found.indices[:, 0].tolist() == first.indices.tolist()
    assert all(len(set(row)) == 5 for row in found.indices.tolist())


def test_a_training_image_is_compared_with_the_others(training):
    own = torch.tensor([3, 4])
    found = nearest(training[own], training, own)
    assert not set(found.indices.tolist()) & {3, 4} or found.indices.tolist() == [4, 3]
    assert (found.distances > 0.1).all()


def test_a_symmetric_training_image_is_not_its_own_neighbour():
    symmetric = images(1, 20)
    symmetric = torch.cat([symmetric[..., :16], symmetric[..., :16].flip(3)], 3)
    small = evened(symmetric)
    assert (nearest(small, small, torch.arange(20)).distances > 0.1).all()


def test_copied_training_images_are_all_memorised(training):
    assert share(images(0, 200)[50:150], training) == 1
    assert share(images(0, 200)[50:150].flip(3), training) == 1


def test_blurred_copies_are_memorised_too(training):
    copies = images(0, 200)[:100].float()
    blurred = avg_pool2d(copies, 3, 1, 1, count_include_pad=False).to(torch.uint8)
    assert share(blurred, training) > 0.95


def test_new_images_come_to_what_chance_gives(training):
    assert share(images(2, 1000), training) == pytest.approx(COMMON, abs=0.05)


def test_copies_count_even_where_the_training_images_hold_duplicates(training):
    doubled = torch.cat([training, training])
    near, _ = near_distances(doubled, torch.arange(100))
    assert near == 0
    assert memorised(nearest(training, doubled).distances, near) == 1
    assert memorised(nearest(evened(images(2, 100)), doubled).distances, near) == 0


def test_thumbnails_of_any_size_are_alike():
    assert thumbnails(images(0, 2, 128)).shape == (2, 768)
    torch.testing.assert_close(thumbnails(images(0, 2, 128)), thumbnails(images(0, 2, 32)))
