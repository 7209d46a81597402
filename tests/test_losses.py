import math

import pytest
import torch

from ganface.losses import non_saturating_loss_D, non_saturating_loss_G

LOG_2 = math.log(2)


def test_undecided_logits_give_two_log_2_and_log_2():
    zeros = torch.zeros(7)
    assert non_saturating_loss_D(zeros, zeros).item() == pytest.approx(2 * LOG_2)
    assert non_saturating_loss_G(zeros).item() == pytest.approx(LOG_2)


def test_losses_are_the_logarithms_of_D_averaged_over_the_batch():
    D_x = torch.tensor([0.9, 0.6, 0.2], dtype=torch.float64)
    D_Gz = torch.tensor([0.05, 0.5, 0.7], dtype=torch.float64)
    expected_D = -(D_x.log().mean() + (1 - D_Gz).log().mean())
    expected_G = -D_Gz.log().mean()
    assert non_saturating_loss_D(D_x.logit(), D_Gz.logit()).item() == pytest.approx(expected_D)
    assert non_saturating_loss_G(D_Gz.logit()).item() == pytest.approx(expected_G)


@pytest.mark.parametrize(
    ("real", "fake", "loss_D", "loss_G"),
    [(1e4, -1e4, 0, 1e4), (-1e4, 1e4, 2e4, 0), (1e4, 1e4, 1e4, 0), (-1e4, -1e4, 1e4, 1e4)],
)
def test_extreme_logits_neither_overflow_nor_lose_their_size(real, fake, loss_D, loss_G):
    real_logits, fake_logits = torch.full((4,), real), torch.full((4,), fake)
    assert non_saturating_loss_D(real_logits, fake_logits).item() == pytest.approx(loss_D)
    assert non_saturating_loss_G(fake_logits).item() == pytest.approx(loss_G)


@pytest.mark.parametrize("logit", [-20.0, -1e3, -1e4])
def test_G_keeps_its_gradient_when_D_is_sure(logit):
    logits = torch.full((5,), logit, requires_grad=True)
    non_saturating_loss_G(logits).backward()
    torch.testing.assert_close(logits.grad, torch.full((5,), -1 / 5))


def test_gradients_of_D_are_the_errors_of_its_probabilities():
    real = torch.tensor([-30.0, 0.3, 2.0], requires_grad=True)
    fake = torch.tensor([30.0, -0.5, 1.0], requires_grad=True)
    non_saturating_loss_D(real, fake).backward()
    torch.testing.assert_close(real.grad, (real.detach().sigmoid() - 1) / 3)
    torch.testing.assert_close(fake.grad, fake.detach().sigmoid() / 3)
