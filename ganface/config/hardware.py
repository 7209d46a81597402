"""Settings of the hardware: where to compute, in what arithmetic, by which kernels."""

from dataclasses import dataclass
from typing import Literal

from ganface.config.settings import Settings, setting

COMPILE_STEPS = 100  # from so many on, faster kernels earn back the seconds of their compilation


@dataclass(frozen=True)
class DeviceConfig(Settings):
    TITLE = "Hardware"

    device: Literal["auto", "cpu", "cuda", "mps"] = setting(
        "auto", "Where to compute; auto takes a GPU if there is one.", may_change=True
    )


@dataclass(frozen=True)
class HardwareConfig(DeviceConfig):
    precision: Literal["auto", "fp32", "bf16", "fp16"] = setting(
        "auto", "Arithmetic; auto takes bf16 where the hardware has it, fp16 on older GPUs."
    )
    deterministic: bool = setting(
        False, "On a GPU, give the same bits every time, at some cost in speed; a CPU always does."
    )
    sync_batchnorm: bool = setting(
        False, "With several GPUs, take BatchNorm's statistics from the whole batch."
    )
    compile: Literal["auto", "on", "off"] = setting(
        "auto",
        f"Compile the CPU's kernels; auto does so for {COMPILE_STEPS} steps or more, if there is "
        "a C compiler.",
        may_change=True,
    )
