import copy

import pytest
import torch
from conftest import dcgan
from counting import Counted
from torch import nn

from ganface.latents.seeds import z_of
from ganface.models.dcgan import Generator
from ganface.models.ema import decay_at, recalibrate, update_ema


@pytest.fixture
def G():
    G = Generator(dcgan(32, 8, 4))
    G.initialise(torch.Generator().manual_seed(0))
    return G.requires_grad_(False)


def fill(network, value):
    for parameter in network.parameters():
        parameter.fill_(value)


def test_three_updates_follow_the_closed_form(G):
    G_ema = copy.deepcopy(G)
    fill(G_ema, 1.0)
    for value, decay in ((2.0, 0.5), (-3.0, 0.9), (10.0, 0.8)):
        fill(G, value)
        update_ema(G_ema, G, torch.tensor(1 - decay))
    expected = 1 * 0.5 * 0.9 * 0.8 + 2 * 0.5 * 0.9 * 0.8 - 3 * 0.1 * 0.8 + 10 * 0.2
    for parameter in G_ema.parameters():
        torch.testing.assert_close(parameter, torch.full_like(parameter, expected))
    for parameter in G.parameters():
        assert (parameter == 10).all()


def test_updating_the_average_leaves_buffers_alone(G):
    G_ema = copy.deepcopy(G)
    G.train()(z_of(range(8), 8))
    before = [buffer.clone() for buffer in G_ema.buffers()]
    update_ema(G_ema, G, torch.tensor(0.5))
    assert all(map(torch.equal, before, G_ema.buffers()))


def test_decay_grows_from_near_zero_to_its_value():
    assert decay_at(0, 0.999) == pytest.approx(0.2)
    assert decay_at(95, 0.999) == pytest.approx(0.96)
    ramp = [decay_at(step, 0.999) for step in range(0, 20_000, 50)]
    assert ramp == sorted(ramp)
    assert decay_at(20_000, 0.999) == 0.999
    assert decay_at(5, 0.0) == 0.0


def test_recalibration_measures_the_activations_that_batchnorm_sees(G):
    batches = z_of(range(96), 8).split(32)
    seen = {}

    def note(norm, inputs, _):
        seen.setdefault(norm, []).append(inputs[0].clone())

    witness = copy.deepcopy(G).train()
    norms = [module for module in witness.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.register_forward_hook(note)
    for z in batches:
        witness(z)

    recalibrate(G, batches)
    calibrated = [module for module in G.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(calibrated) == len(norms) > 0
    for norm, twin in zip(calibrated, norms, strict=True):
        means = torch.stack([x.mean((0, 2, 3)) for x in seen[twin]])
        variances = torch.stack([x.var((0, 2, 3)) for x in seen[twin]])
        torch.testing.assert_close(norm.running_mean, means.mean(0))
        torch.testing.assert_close(norm.running_var, variances.mean(0))


def test_recalibration_forgets_earlier_statistics(G):
    other = copy.deepcopy(G)
    other.train()(5 * z_of(range(50, 60), 8))
    batches = z_of(range(32), 8).split(16)
    for network in (G, other):
        recalibrate(network, batches)
    assert all(map(torch.equal, G.buffers(), other.buffers()))


def test_recalibration_leaves_eval_mode_momentum_and_weights_as_they_should_be(G):
    weights = [parameter.clone() for parameter in G.parameters()]
    norms = [module for module in G.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    recalibrate(G.train(), z_of(range(32), 8).split(16))
    assert not any(module.training for module in G.modules())
    assert [norm.momentum for norm in norms] == momenta
    assert None not in momenta
    assert all(map(torch.equal, weights, G.parameters()))


def test_an_update_of_the_average_is_three_operations_however_many_weights_there_are(G):
    G_ema = copy.deepcopy(G)
    assert len(list(G.parameters())) > 3
    weight = torch.tensor(0.5)
    with Counted() as counted:
        update_ema(G_ema, G, weight)
    assert counted.names == ["_foreach_sub", "_foreach_mul_", "_foreach_add_"]
