"""Adam, without PyTorch's compiler."""

from __future__ import annotations

from inspect import unwrap

import torch
from torch.optim import Adam


class LightAdam(Adam):
    """PyTorch's Adam without the wrappers that tell its compiler to leave these methods alone.

    They import the compiler, `torch._dynamo`, when they are first called: one second to three.
    """

    add_param_group = unwrap(Adam.add_param_group)
    zero_grad = unwrap(Adam.zero_grad)
    state_dict = unwrap(Adam.state_dict)
    load_state_dict = unwrap(Adam.load_state_dict)
    step = torch.no_grad()(unwrap(Adam.step))  # without gradients, as by the wrapper of `step`
