"""A discriminator alone learns to generate numbers: the lecture's iteration, where all can be seen.

(1)  D learns to score real numbers high and the negatives low. At first these are random.
(2)  From random starts, climb D: argmax over x of D(x). What is found are the next negatives.

A negative stays one. With the latest alone D forgets those before, rises again where it generated
some rounds ago, and so on without an end.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn

from ganface.latents import rng
from ganface.losses.adversarial import non_saturating_loss_D
from ganface.losses.penalties import zero_centred
from ganface.pictures.rug import Panel, draw_rug
from ganface.system.adam import LightAdam

BUMPS = (-1.5, 1.5)  # the means of the two Gaussians that reals are from
SIGMA = 0.4  # of each
LIMIT = 5.0  # the line goes from -LIMIT to LIMIT
SHOWN = (1, 2, 5, 40)  # rounds that are kept
CURVE = 201  # places at which D is kept

WIDTH = 64  # of D
BATCH_SIZE = 256  # and as many climb in a round
UPDATES = 20  # in a round
LR = 3e-3
PENALTY = 0.05  # of D's gradient, at reals and at negatives
STEPS, STEP_SIZE = 30, 0.3  # of an ascent; a step is so many times D's gradient


@dataclass(frozen=True)
class Round:
    number: int  # from 1 on
    curve: Tensor  # D(x) in [0, 1] at CURVE equal steps over the line, after the round's updates
    generated: Tensor  # [BATCH_SIZE] on the line: where climbing that D ended
    distance: float  # of these to the reals: Wasserstein-1


@dataclass(frozen=True)
class Rounds:
    reals: Tensor  # [BATCH_SIZE], to which distances are measured
    shown: tuple[Round, ...]  # those of SHOWN


def learn(seed: int = 0) -> Rounds:
    D = _discriminator(seed)
    optimizer = LightAdam(D.parameters(), LR, betas=(0.0, 0.99), fused=True)
    places = torch.linspace(-LIMIT, LIMIT, CURVE)[:, None]
    reals = _reals(seed, "shown reals", 0)
    negatives = _anywhere(seed, "first negatives", 0)
    shown = []
    for number in range(1, SHOWN[-1] + 1):
        # (1) Update D
        for step in range(number * UPDATES, (number + 1) * UPDATES):
            dice = rng.generator(seed, "negatives", step)
            some = negatives[torch.randint(len(negatives), (BATCH_SIZE,), generator=dice)]
            x = torch.cat([_reals(seed, "reals", step), some])
            real_logits, fake_logits = D(x).flatten().chunk(2)
            loss_D = non_saturating_loss_D(real_logits, fake_logits)
            loss_D = loss_D + 2 * PENALTY * zero_centred(D, x).mean()
            optimizer.zero_grad()
            loss_D.backward()
            optimizer.step()

        # (2) Generate
        generated = _climb(D, _anywhere(seed, "starts", number))
        negatives = torch.cat([negatives, generated])
        if number in SHOWN:
            with torch.no_grad():
                curve = D(places).flatten().sigmoid()
            distance = wasserstein_1(generated.flatten(), reals.flatten())
            shown.append(Round(number, curve, generated.flatten(), distance))
    return Rounds(reals.flatten(), tuple(shown))


def draw(rounds: Rounds) -> Image.Image:
    places = torch.linspace(-LIMIT, LIMIT, CURVE)
    distance = (places - torch.tensor(BUMPS)[:, None]).abs().min(0).values  # to the nearer mean
    area = torch.exp(-((distance / SIGMA) ** 2) / 2)  # of reals; the other bump adds nothing here
    panels = [
        Panel(
            f"round {each.number}",
            f"{each.distance:.2f} from the reals",
            each.curve.tolist(),
            each.generated.tolist(),
        )
        for each in rounds.shown
    ]
    return draw_rug(panels, (0.9 * area).tolist(), LIMIT, ("D(x)", "reals", "generated"))


def wasserstein_1(a: Tensor, b: Tensor) -> float:
    """How far a number of one [N] is on average from its equal in rank of the other [N]."""
    return (a.sort().values - b.sort().values).abs().mean().item()


def _climb(D: nn.Module, x: Tensor) -> Tensor:
    """Gradient ascent on D's logit, which stays on the line: [B, 1] of x [B, 1]."""
    for _ in range(STEPS):
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(D(x).sum(), x)
        x = (x + STEP_SIZE * gradient).clamp(-LIMIT, LIMIT)
    return x.detach()


def _reals(seed: int, stream: str, step: int) -> Tensor:
    dice = rng.generator(seed, stream, step)
    means = torch.tensor(BUMPS).repeat(BATCH_SIZE // len(BUMPS))[:, None]  # as many from each
    return means + SIGMA * torch.randn(BATCH_SIZE, 1, generator=dice)


def _anywhere(seed: int, stream: str, step: int) -> Tensor:
    return LIMIT * (2 * rng.uniform(seed, stream, step, BATCH_SIZE, 1) - 1)


def _discriminator(seed: int) -> nn.Module:
    """x [B, 1] -> logits [B, 1]. Smooth, for it is climbed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        hidden = nn.Linear(1, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh()
        return nn.Sequential(*hidden, nn.Linear(WIDTH, 1))
