"""What methods are put together from: networks on their device, gradients, measures."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import get_total_norm
from torch.optim import Adam

from ganface.config.architecture import DcganConfig
from ganface.config.optimizer import OptimizerConfig
from ganface.latents import rng
from ganface.latents.fitted import fitted
from ganface.methods.base import Method, Sheet, TrainState
from ganface.models.dcgan import DcganNetwork, apply_spectral_norm
from ganface.models.generate import generate_on_device
from ganface.models.registry import build_network
from ganface.pictures.grid import to_uint8
from ganface.system.adam import LightAdam
from ganface.system.device import Compute

COARSE = 8  # pixels a side to which images are reduced before they are compared
SHOWN = 8  # images in a row of a sheet
FITTED = 64  # faces on the sheet of a fitted Gaussian

Network = TypeVar("Network", bound=nn.Module)


def on_device(network: Network, compute: Compute) -> Network:
    """In channels_last, the layout in which CPU and GPU kernels are fastest."""
    return network.to(compute.device).to(memory_format=torch.channels_last)


def initialised(role: str, config: DcganConfig, seed: int) -> DcganNetwork:
    """A role's network on the CPU, its weights a function of the run's seed and the role alone."""
    network = build_network(role, config)
    network.initialise(rng.generator(seed, role))
    if role == "D" and config.spectral_norm:
        apply_spectral_norm(network, rng.generator(seed, "spectral norm"))
    return network


def initial_state(method: Method) -> TrainState:
    """The method's networks, an Adam for each that learns, and the averages that it says."""
    networks = {
        role: on_device(initialised(role, method.architecture, method.seed), method.compute)
        for role in (*method.networks, *method.frozen)
    }
    for role in method.frozen:
        networks[role].eval().requires_grad_(False)
    return TrainState(
        {**networks},
        {role: adam(networks[role], method.optimizer, method.compute) for role in method.networks},
        {role: average_of(networks[role]) for role in method.averaged},
        {},
        method.compute.grad_scaler(),
    )


def average_of(network: Network) -> Network:
    """The exponential moving average of `network` at its start: a copy, in eval mode."""
    return copy.deepcopy(network).eval().requires_grad_(False)


def adam(network: nn.Module, config: OptimizerConfig, compute: Compute) -> Adam:
    """Adam over all of the network's parameters. Each update brings its learning rate."""
    return LightAdam(
        network.parameters(),
        torch.zeros((), device=compute.device),  # in place: a CUDA graph would freeze a number
        (config.beta1, config.beta2),
        fused=True,  # on CPUs, NVIDIA's GPUs and Apple's
        capturable=compute.use_cuda_graph,
    )


def descend(state: TrainState, loss: Tensor, *names: str) -> list[Tensor]:
    """One step down the gradient of `loss` for the networks of these names.

    Returns the lengths of their gradients, float32 [] each.
    """
    networks = [state.networks[name] for name in names]
    optimizers = [state.optimizers[name] for name in names]
    for optimizer in optimizers:
        optimizer.zero_grad()
    state.scaler.scale(loss).backward()
    for network, optimizer in zip(networks, optimizers, strict=True):
        state.average_gradients(network)
        state.scaler.unscale_(optimizer)
    lengths = [gradient_norm(network, state.scaler) for network in networks]
    for optimizer in optimizers:
        state.scaler.step(optimizer)
    state.scaler.update()  # the scale may change before the next step: each begins anew
    return lengths


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Within the block the network's weights need no gradient, get none, and none is computed."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


@contextmanager
def observed(network: nn.Module) -> Iterator[None]:
    """Within the block the network computes what it does while it trains, and changes nothing.

    BatchNorm takes the statistics of the batch and keeps none; spectral norms stay as they are.
    """
    # _BatchNorm: SyncBatchNorm is one, too
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    network.eval()
    for norm in norms:
        norm.train()
        norm.track_running_stats = False
    try:
        yield
    finally:
        network.train()
        for norm in norms:
            norm.track_running_stats = True


def gradient_norm(network: nn.Module, scaler: torch.amp.GradScaler) -> Tensor:
    """The length of all its parameters' gradients as one vector: float32 [].

    0 where `scaler` finds them too large for fp16 and skips the step, which is no fault.
    """
    norm = get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
    return norm.where(norm.isfinite(), 0) if scaler.is_enabled() else norm


def diversity(images: Tensor) -> Tensor:
    """How unlike each other images [B, 3, S, S] in [-1, 1] are, coarsely: float32 [].

    The standard deviation over the batch, of each of COARSE × COARSE pixels. Noise hardly counts.
    """
    coarse = adaptive_avg_pool2d(images.float(), COARSE)
    return coarse.var(0).mean().sqrt()


def beside_originals(originals: Tensor, again: Tensor) -> Sheet:
    """Rows of images [N, 3, S, S] in [-1, 1], and below each what became of it."""
    rows = zip(originals.split(SHOWN), again.split(SHOWN), strict=True)
    return Sheet(to_uint8(torch.cat([*map(torch.cat, rows)])), SHOWN)


def faces_like(codes: Tensor, G: DcganNetwork, seed: int) -> Sheet:
    """What G draws from the Gaussian that fits `codes` [N, z_dim]."""
    generator = rng.generator(seed, "fitted")
    weights = torch.randn(FITTED, len(codes), generator=generator).to(codes.device)
    return Sheet(generate_on_device(G, fitted(codes, weights)), SHOWN)


def update_to_weight_ratio(network: nn.Module, rate: float) -> Tensor:
    """Adam's step, which is about `rate` for each weight, against the weights' size: float32 [].

    Of the convolutions alone: their weights are nearly all of them.
    """
    weights = [p for p in network.parameters() if p.dim() == 4]
    size = get_total_norm(weights) / sum(weight.numel() for weight in weights) ** 0.5
    return rate / size
