import os

import pytest
import torch

from ganface.errors import UserError
from ganface.system.device import Compute, choose_device, choose_kernels, choose_precision

CPU = torch.device("cpu")


def test_auto_takes_a_device_that_is_there():
    assert torch.zeros(2, device=choose_device("auto")).sum() == 0
    assert choose_device("cpu") == CPU


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(UserError, match="--device cuda: PyTorch sees no such GPU"):
        choose_device("cuda")


@pytest.mark.parametrize(("device", "name"), [("cpu", "fp16"), ("mps", "fp16"), ("mps", "bf16")])
def test_a_precision_that_a_device_lacks_is_refused(device, name):
    with pytest.raises(UserError, match=f"--precision {name}: not on {device}"):
        choose_precision(name, torch.device(device))


@pytest.mark.parametrize("name", ["fp32", "bf16"])
def test_a_precision_that_was_asked_for_is_taken(name):
    assert choose_precision(name, CPU) == name


def test_auto_takes_a_precision_that_the_device_has():
    assert choose_precision("auto", CPU) in ("fp32", "bf16")
    assert choose_precision("auto", torch.device("mps")) == "fp32"


@pytest.mark.parametrize(("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_autocast_computes_in_the_precision(name, dtype):
    with Compute(CPU, name).autocast():
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == dtype


@pytest.fixture
def kernels(monkeypatch):
    """What was chosen, none of which lasts."""
    chosen = {}
    monkeypatch.setattr(torch, "use_deterministic_algorithms", lambda on: chosen.update(all=on))
    for module, name in (
        (torch.backends.cudnn, "benchmark"),
        (torch.backends.cudnn, "deterministic"),
        (torch.utils.deterministic, "fill_uninitialized_memory"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    yield chosen
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


def test_a_gpu_takes_its_fastest_kernels(kernels):
    choose_kernels(torch.device("cuda"), deterministic=False)
    assert torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.deterministic
    assert kernels == {}
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ


def test_a_gpu_takes_only_repeatable_kernels_if_asked_to(kernels):
    choose_kernels(torch.device("cuda"), deterministic=True)
    assert not torch.backends.cudnn.benchmark
    assert torch.backends.cudnn.deterministic
    assert kernels == {"all": True}
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_cpu_has_no_such_choice(kernels):
    before = torch.backends.cudnn.benchmark
    choose_kernels(CPU, deterministic=True)
    assert torch.backends.cudnn.benchmark == before
    assert kernels == {}


@pytest.fixture
def gpu(monkeypatch):
    """gpu(capability, kernels): one NVIDIA GPU, and a PyTorch that was compiled for `kernels`."""

    def arrange(capability, kernels):
        for name, value in (
            ("is_available", True),
            ("get_device_capability", capability),
            ("get_arch_list", kernels.split()),
            ("get_device_name", "Tesla V100"),
        ):
            monkeypatch.setattr(torch.cuda, name, lambda *_, value=value: value)

    return arrange


@pytest.mark.parametrize(
    ("capability", "kernels", "usable"),
    [
        ((7, 0), "sm_75 sm_80 sm_90", False),
        ((7, 5), "sm_75 sm_80", True),
        ((8, 9), "sm_75 sm_80 sm_86", True),
        ((9, 0), "sm_80 sm_90a", True),
        ((12, 0), "sm_80 sm_90", False),
        ((12, 0), "sm_80 compute_90", True),
        ((12, 1), "sm_100 sm_120", True),
        ((9, 0), "gfx90a gfx942", True),
    ],
)
def test_a_gpu_without_kernels_is_passed_over_or_refused(gpu, capsys, capability, kernels, usable):
    gpu(capability, kernels)
    assert choose_device("auto").type == ("cuda" if usable else "cpu")
    assert ("no kernels for Tesla V100" in capsys.readouterr().err) == (not usable)
    if usable:
        assert choose_device("cuda").type == "cuda"
    else:
        with pytest.raises(UserError, match="--device cuda: this PyTorch has no kernels for"):
            choose_device("cuda")


def test_bf16_that_is_only_emulated_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)  # noqa: ARG005
    with pytest.raises(UserError, match="only emulates it; use --precision fp16"):
        choose_precision("bf16", torch.device("cuda"))
    assert choose_precision("auto", torch.device("cuda")) == "fp16"
