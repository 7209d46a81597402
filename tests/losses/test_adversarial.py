import math

import pytest
import torch

from ganface.losses.adversarial import LOSSES, non_saturating_loss_D, non_saturating_loss_G

LOG_2 = math.log(2)


def test_undecided_logits_give_two_log_2_and_log_2():
    zeros = torch.zeros(7)
    assert non_saturating_loss_D(zeros, zeros).item() == pytest.approx(2 * LOG_2)
    assert non_saturating_loss_G(zeros, zeros).item() == pytest.approx(LOG_2)


def test_losses_are_the_logarithms_of_D_averaged_over_the_batch():
    D_x = torch.tensor([0.9, 0.6, 0.2], dtype=torch.float64)
    D_Gz = torch.tensor([0.05, 0.5, 0.7], dtype=torch.float64)
    expected_D = -(D_x.log().mean() + (1 - D_Gz).log().mean())
    expected_G = -D_Gz.log().mean()
    assert non_saturating_loss_D(D_x.logit(), D_Gz.logit()).item() == pytest.approx(expected_D)
    assert non_saturating_loss_G(D_x.logit(), D_Gz.logit()).item() == pytest.approx(expected_G)


@pytest.mark.parametrize(
    ("real", "fake", "loss_D", "loss_G"),
    [(1e4, -1e4, 0, 1e4), (-1e4, 1e4, 2e4, 0), (1e4, 1e4, 1e4, 0), (-1e4, -1e4, 1e4, 1e4)],
)
def test_extreme_logits_neither_overflow_nor_lose_their_size(real, fake, loss_D, loss_G):
    real_logits, fake_logits = torch.full((4,), real), torch.full((4,), fake)
    assert non_saturating_loss_D(real_logits, fake_logits).item() == pytest.approx(loss_D)
    assert non_saturating_loss_G(real_logits, fake_logits).item() == pytest.approx(loss_G)


@pytest.mark.parametrize("logit", [-20.0, -1e3, -1e4])
def test_G_keeps_its_gradient_when_D_is_sure(logit):
    logits = torch.full((5,), logit, requires_grad=True)
    non_saturating_loss_G(torch.zeros(5), logits).backward()
    torch.testing.assert_close(logits.grad, torch.full((5,), -1 / 5))


def test_gradients_of_D_are_the_errors_of_its_probabilities():
    real = torch.tensor([-30.0, 0.3, 2.0], requires_grad=True)
    fake = torch.tensor([30.0, -0.5, 1.0], requires_grad=True)
    non_saturating_loss_D(real, fake).backward()
    torch.testing.assert_close(real.grad, (real.detach().sigmoid() - 1) / 3)
    torch.testing.assert_close(fake.grad, fake.detach().sigmoid() / 3)


REAL, FAKE = torch.tensor([2.0, -1, 0.5]), torch.tensor([0.0, -3, 1.5])


@pytest.mark.parametrize(
    ("name", "loss_D", "loss_G"),
    [
        ("saturating", None, -sum(math.log(1 + math.exp(a)) for a in (0, -3, 1.5)) / 3),
        ("lsgan", ((1 + 4 + 0.25) / 3 + (0 + 9 + 2.25) / 3) / 2, (1 + 16 + 0.25) / 3 / 2),
        ("hinge", (0 + 2 + 0.5) / 3 + (1 + 0 + 2.5) / 3, 1.5 / 3),
        ("wgan-gp", -1.5 / 3 - 1.5 / 3, 1.5 / 3),
        (
            "rpgan",
            sum(math.log(1 + math.exp(-a)) for a in (2, 2, -1)) / 3,
            sum(math.log(1 + math.exp(a)) for a in (2, 2, -1)) / 3,
        ),
    ],
)
def test_each_loss_is_its_formula(name, loss_D, loss_G):
    if loss_D is not None:
        assert LOSSES[name].D(REAL, FAKE).item() == pytest.approx(loss_D)
    assert LOSSES[name].G(REAL, FAKE).item() == pytest.approx(loss_G)


def test_D_plays_the_same_game_whether_G_saturates_or_not():
    assert LOSSES["saturating"].D is LOSSES["ns"].D


def test_a_saturating_G_has_no_gradient_left_when_D_is_sure():
    logits = torch.full((5,), -20.0, requires_grad=True)
    LOSSES["saturating"].G(torch.zeros(5), logits).backward()
    assert logits.grad.abs().max() < 1e-8


@pytest.mark.parametrize("name", LOSSES)
def test_both_learn_in_the_right_direction(name):
    """D is to raise real logits and lower fake ones, G to raise its own."""
    real, fake = (torch.full((3,), value, requires_grad=True) for value in (0.2, 0.3))
    loss = LOSSES[name]
    up, down = torch.autograd.grad(loss.D(real, fake), [real, fake])
    assert up.mean() < 0
    assert down.mean() > 0
    (own,) = torch.autograd.grad(loss.G(real, fake), fake)
    assert own.mean() < 0


@pytest.mark.parametrize(("name", "threshold"), [("ns", 0), ("lsgan", 0.5), ("wgan-gp", 0)])
def test_each_loss_has_a_logit_between_real_and_generated(name, threshold):
    assert LOSSES[name].decision_threshold(REAL, FAKE) == threshold


def test_where_only_differences_count_the_middle_moves_with_the_logits():
    for name in ("rpgan", "wgan-gp"):
        assert LOSSES[name].decision_threshold(REAL + 7, FAKE + 7).item() == pytest.approx(7)
