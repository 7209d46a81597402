"""Which device, which precision, and what it can do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from ganface.errors import UserError
from ganface.io.console import say

KERNELS = re.compile(r"(sm|compute)_(\d+)(\d)[a-z]?$")  # such as sm_75, sm_90a, compute_120
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


@dataclass(frozen=True)
class Compute:
    """Where the networks run and in what arithmetic."""

    device: torch.device
    precision: str  # fp32, bf16 or fp16

    def autocast(self) -> torch.autocast:
        enabled = self.precision != "fp32"
        return torch.autocast(self.device.type, DTYPES[self.precision], enabled=enabled)

    def grad_scaler(self) -> torch.amp.GradScaler:
        """Does nothing but for fp16, whose gradients would vanish below 6e-8 without it."""
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == "fp16")

    @property
    def use_cuda_graph(self) -> bool:
        """Whether an update is one CUDA graph."""
        return self.device.type == "cuda"

    @property
    def raises_oom(self) -> bool:
        """Whether the device refuses memory that it has not got. For a CPU, the system kills."""
        return self.device.type == "cuda"

    @property
    def name(self) -> str:
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        if self.device.type == "cpu":
            threads = torch.get_num_threads()
            return f"CPU, {threads} thread{'s' if threads > 1 else ''}"
        return "Apple GPU"


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" takes a GPU if there is one that PyTorch can use.

    Raises UserError if it is not there.
    """
    problems = {"cuda": _no_cuda(), "mps": _no_mps(), "cpu": None}
    if name == "auto":
        name = next(device for device, problem in problems.items() if problem is None)
        if name == "cpu" and torch.cuda.is_available():
            say(f"computing on the CPU: {problems['cuda']}")
    if problems[name] is not None:
        raise UserError(f"--device {name}: {problems[name]}; use --device cpu")
    return torch.device(name)


def _no_mps() -> str | None:
    return None if torch.backends.mps.is_available() else "PyTorch sees no such GPU"


def _no_cuda() -> str | None:
    """Why no NVIDIA GPU can be used, if none can.

    A kernel that was compiled for sm_XY runs on GPUs of capability X.Z with Z of Y or more; of
    compute_XY it is compiled for any later GPU when it is loaded.
    """
    if not torch.cuda.is_available():
        return "PyTorch sees no such GPU"
    major, minor = torch.cuda.get_device_capability()
    known = [KERNELS.match(each) for each in torch.cuda.get_arch_list()]
    for match in filter(None, known):
        kind, X, Y = match[1], int(match[2]), int(match[3])
        if (kind == "sm" and major == X and minor >= Y) or (
            kind == "compute" and (major, minor) >= (X, Y)
        ):
            return None
    if not any(known):  # AMD's, which are named otherwise
        return None
    return (
        f"this PyTorch has no kernels for {torch.cuda.get_device_name()}, of capability "
        f"{major}.{minor}; another version may"
    )


def choose_kernels(device: torch.device, deterministic: bool) -> None:
    """Let a GPU take its fastest kernels, or only those that give the same bits every time.

    To be called before the GPU is used. On a CPU all kernels are of the second kind.
    """
    if device.type != "cuda":
        return
    torch.backends.cudnn.benchmark = not deterministic
    torch.backends.cudnn.deterministic = deterministic
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS's own condition
        torch.use_deterministic_algorithms(True)
        # Nothing here reads uninitialised memory
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


@contextmanager
def without_trials() -> Iterator[None]:
    """Within the block cuDNN takes the kernels that it expects to be fast, and tries none: for what
    is computed now and then. To try them for a network takes seconds."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def choose_precision(name: str, device: torch.device) -> str:
    """The precision of that name; "auto" takes the fastest that `device` has in hardware.

    Raises UserError if the device cannot do it.
    """
    if name == "auto":
        if _has_bf16(device):
            return "bf16"
        return "fp16" if device.type == "cuda" else "fp32"
    if name == "bf16" and device.type == "cuda" and not _has_bf16(device):
        raise UserError("--precision bf16: this GPU only emulates it; use --precision fp16")
    if (device.type == "mps" and name != "fp32") or (device.type == "cpu" and name == "fp16"):
        raise UserError(f"--precision {name}: not on {device.type}; use --precision auto")
    return name


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        # Without the instructions PyTorch emulates bf16, which is slower than fp32
        capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return False
