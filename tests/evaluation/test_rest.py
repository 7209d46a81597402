import torch

from ganface.evaluation.memorisation import SIDE, thumbnails
from ganface.evaluation.rest import COUNT, find_rest

FACES = 400


def pictures():
    """Images of three patches of chance brightness, and the brightness of the first one."""
    levels = torch.rand(FACES, 3, generator=torch.Generator().manual_seed(0)) * 255
    levels[:, 1] += levels[:, 0] / 2  # so that the second one is foretold in part
    images = torch.zeros(FACES, 3, 32, 32)
    images[:, :, :16, :16] = levels[:, 0, None, None, None]
    images[:, :, 16:, :16] = levels[:, 1, None, None, None]
    images[:, :, 16:, 16:] = levels[:, 2, None, None, None]
    measured = (levels[:, :1] - levels[:, :1].mean()) / levels[:, :1].std()
    return images, measured.double()


def test_it_is_what_measurements_do_not_foretell():
    images, measured = pictures()
    rest = find_rest(thumbnails(images).double(), measured)
    numbers = rest(images, measured)
    # Three patches make three components; no more are but rounding
    assert numbers.shape == (FACES, 3)
    torch.testing.assert_close(numbers.mean(0), torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(measured.T @ numbers, torch.zeros(1, 3, dtype=torch.float64))
    # Something is left of each patch but the measured one
    changed = images.clone()
    changed[:, :, :16, :16] = 0
    assert rest.of(thumbnails(images).double(), measured).square().sum(1).mean() > 1


def test_moving_what_is_measured_as_faces_differ_in_it_leaves_the_rest():
    images, measured = pictures()
    rest = find_rest(thumbnails(images).double(), measured)
    # By one standard deviation of the first patch, with the part of the second that goes along
    patch = images[:, 0, 0, 0]
    slope = ((images[:, 0, 16, 0] - images[:, 0, 16, 0].mean()) * measured[:, 0]).mean().item()
    third = ((images[:, 0, 16, 16] - images[:, 0, 16, 16].mean()) * measured[:, 0]).mean().item()
    moved = images.clone()
    moved[:, :, :16, :16] += patch.std()
    before = rest(images, measured)
    alone = (rest(moved, measured + 1) - before).abs().max()
    moved[:, :, 16:, :16] += slope
    moved[:, :, 16:, 16:] += third
    along = (rest(moved, measured + 1) - before).abs().max()
    assert along < 0.02 < 0.2 < alone


def test_so_many_components_are_kept_of_pictures_that_have_more():
    images = torch.rand(FACES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    rest = find_rest(thumbnails(images).double(), torch.zeros(FACES, 0, dtype=torch.float64))
    numbers = rest(images, torch.zeros(FACES, 0, dtype=torch.float64))
    assert numbers.shape == (FACES, COUNT)
    torch.testing.assert_close(numbers.std(0), torch.ones(COUNT, dtype=torch.float64))
