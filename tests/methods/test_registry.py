import pytest
import torch
from conftest import train_config

from ganface.dataset.pack import Pack
from ganface.methods.registry import METHODS, method_of
from ganface.system.device import Compute
from ganface.training.start import create

CPU = Compute(torch.device("cpu"), "fp32")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_builds_what_it_says(name, pack_file):
    """Snapshots, the memory estimate and the display go by what the class says."""
    given = {"of": "nothing"} if name == "encoder" else {}
    method, state = create(train_config(method=name, width=4, z_dim=8, **given), 32, CPU)
    assert (*state.networks,) == (*method.networks, *method.frozen)
    assert (*state.ema,) == method.averaged
    method.prepare(state, Pack(pack_file))
    assert set(state.optimizers) == set(method.rates())
    assert set(method.networks) <= set(state.optimizers) <= set(state.networks)
    for role, average in state.ema.items():
        one, other = average.state_dict(), state.networks[role].state_dict()
        assert all(torch.equal(one[key], other[key]) for key in one)
    assert method.display.format(**dict.fromkeys(method.metrics, 0.5))
    assert method.may_be_missing <= set(method.diagnostics)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_known_by_its_lines_also_after_a_run_went_back(name):
    metrics = dict.fromkeys(METHODS[name].metrics, 0.5)
    lines = [{"step": 10, "seconds": 1.0, **metrics}, {"step": 5, "verdict": "not a number"}]
    assert method_of(lines) is METHODS[name]
