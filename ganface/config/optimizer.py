"""Settings of the optimiser: batches, learning rates, Adam, the average of the weights."""

from dataclasses import dataclass

from ganface.config.settings import Settings, a_rate, at_least, between, setting


@dataclass(frozen=True)
class OptimizerConfig(Settings):
    TITLE = "Optimizer"

    batch_size: int = setting(64, "Images per update.", at_least(2))
    lr: float = setting(2e-4, "Adam's learning rate, for every network.", a_rate)
    lr_decay: int = setting(
        2000,
        "Step from which on learning rates fall, as 1/√step; 0: they stay.",
        at_least(0),
        before=0,
    )
    beta1: float = setting(0.0, "Adam's beta1.", between(0, 0.9999))
    beta2: float = setting(0.99, "Adam's beta2.", between(0, 0.999999))
    ema_decay: float = setting(
        0.999, "Decay of G_ema, the average of G that draws every picture.", between(0, 0.999999)
    )

    def decay_at(self, step: int) -> float:
        """What every learning rate is multiplied by in update `step`, from 1.

        From --lr-decay on they fall as one over the square root of the steps, so that the networks
        go on learning and yet settle: Karras et al. 2024, "Analyzing and Improving the Training
        Dynamics of Diffusion Models" (arXiv:2312.02696). It depends on the steps done alone, not on
        those to come: a training that is stopped, resumed or made longer does at each step what any
        other does there.
        """
        return (self.lr_decay / step) ** 0.5 if 0 < self.lr_decay < step else 1.0
