"""What a training will take, by some updates that leave no trace."""

import os

import pytest
import torch
from conftest import tree

from ganface.config.dataset import BuildConfig
from ganface.methods.registry import METHODS
from ganface.system.device import Compute
from ganface.training import forecast
from ganface.training.config import TrainConfig
from ganface.training.plan import Plan

SMALL = {"width": 4, "z_dim": 8, "batch_size": 4, "steps": 5}


def plan_of(**given):
    config = TrainConfig.of({**SMALL, **given})
    return Plan(BuildConfig(size=32), config, Compute(torch.device("cpu"), "fp32"))


@pytest.mark.parametrize("method", [name for name in METHODS if name != "encoder"])
def test_every_method_can_be_tried_and_leaves_nothing(method, tmp_path, monkeypatch):
    monkeypatch.setattr(forecast, "SECONDS", 0)
    cache = os.environ.get("XDG_CACHE_HOME")
    assert 0 < forecast.seconds_per_update(plan_of(method=method), 32) < 60
    assert tree(tmp_path) == {}
    assert os.environ.get("XDG_CACHE_HOME") == cache


def test_updates_with_regularisation_count_as_often_as_they_come(monkeypatch):
    now = 0.0
    monkeypatch.setattr(forecast.time, "monotonic", lambda: now)

    def advance(inputs, apply_reg):
        nonlocal now
        first = inputs <= 2
        now += (3.0 if apply_reg else 1.0) + 10 * first  # which is found slow, and not counted

    class Sixteenth:
        reg_interval = 16
        compute = Compute(torch.device("cpu"), "fp32")

    class Steps:
        step = 0
        at = staticmethod(lambda step: step)

    monkeypatch.setattr(forecast, "SECONDS", 100)
    mean = forecast._mean_of_updates(advance, Steps, Sixteenth, Steps())
    assert mean == pytest.approx((15 * 1 + 3) / 16)
