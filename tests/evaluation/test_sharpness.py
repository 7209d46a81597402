import pytest
import torch

from ganface.evaluation.sharpness import fine_power


def test_power_is_that_of_what_is_fine():
    side = torch.arange(32)
    slow = (100 + 50 * torch.cos(2 * torch.pi * side / 32)).expand(32, 32)  # one wave: not fine
    fast = 100 + 10 * (-1.0) ** side.expand(32, 32)  # from pixel to pixel: as fine as can be
    images = torch.stack([slow.round(), fast, slow.round() + fast - 100])
    images = images[:, None].expand(-1, 3, -1, -1).to(torch.uint8)
    power = fine_power(images)
    assert power[0] < 0.2  # of rounding alone
    assert power[1].item() == pytest.approx(100)
    assert power[2].item() == pytest.approx(100, rel=0.02)


def test_a_blur_takes_it_away():
    noise = torch.randint(0, 256, (4, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    blurred = torch.nn.functional.avg_pool2d(noise.float(), 3, 1, 1)
    ratio = fine_power(blurred.to(torch.uint8)) / fine_power(noise.to(torch.uint8))
    assert ratio.max() < 0.1
