"""What changes with the steps done, and with nothing else: not with how many are to come.

So a training that is stopped, resumed or made longer does at each step what any other does there.
"""

from __future__ import annotations

from ganface.config.settings import TrainConfig


def learning_rates_at(step: int, config: TrainConfig) -> tuple[float, float]:
    """Those of D and of G in update `step`, from 1.

    From --lr-decay on they fall as one over the square root of the steps, so that the networks go
    on learning and yet settle: Karras et al. 2024, "Analyzing and Improving the Training Dynamics
    of Diffusion Models" (arXiv:2312.02696), section 2.
    """
    scale = (config.lr_decay / step) ** 0.5 if 0 < config.lr_decay < step else 1.0
    return scale * config.rate_D, scale * config.rate_G
