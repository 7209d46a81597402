import pytest
import torch

from ganface.lecture.damage import damaged, quarters, shifted, shuffled, stray


@pytest.fixture
def images():
    dice = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (6, 3, 8, 8), generator=dice, dtype=torch.uint8)


def test_quarters_stay_where_they_are_and_are_of_different_images(images):
    mixed = quarters(images)
    for turn, (rows, columns) in enumerate([(0, 0), (0, 4), (4, 0), (4, 4)]):
        part = (..., slice(rows, rows + 4), slice(columns, columns + 4))
        assert torch.equal(mixed[part], images.roll(turn, 0)[part])


def test_shuffled_pixels_are_real_ones_of_their_place(images):
    mixed = shuffled(images)
    same = (mixed[:, None] == images[None]).all(2)  # [N, N, 8, 8]: whole pixels, all colours
    assert same.any(1).all()
    assert not any(torch.equal(each, image) for each in mixed for image in images)


def test_so_many_pixels_are_stray(images):
    changed = (stray(images, 3) != images).any(1).flatten(1).sum(1)
    assert changed.tolist() == [3] * 6
    moved = (stray(images, 3).int() - images.int()).abs()
    assert moved[moved > 0].min() >= 127


def test_shifted_is_moved_by_one(images):
    moved = shifted(images)
    assert torch.equal(moved[..., 1:], images[..., :-1])
    assert torch.equal(moved[..., 0], images[..., 0])


def test_damage_leaves_the_images_as_they_were(images):
    before = images.clone()
    hurt = damaged(images)
    assert torch.equal(images, before)
    assert all(
        each.shape == images.shape and not torch.equal(each, images) for each in hurt.values()
    )
    assert torch.equal(hurt["halves"][:, :, :4], images[:, :, 4:])
    assert (hurt["hole"][:, :, 2:6, 2:6] == 128).all()
