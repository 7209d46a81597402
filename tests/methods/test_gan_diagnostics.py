import copy

import pytest
import torch
from conftest import changed, train_config
from torch import nn

from ganface.dataset.order import held_out
from ganface.dataset.pack import Pack
from ganface.methods.gan import Gan
from ganface.methods.parts import diversity, observed, update_to_weight_ratio
from ganface.methods.probe import Probe
from ganface.system.device import Compute
from ganface.training.checkpoint import tensors_of
from ganface.training.start import create

CPU = Compute(torch.device("cpu"), "fp32")
CONFIG = train_config(batch_size=8, width=4, z_dim=8, loss="hinge")
FREE = changed(CONFIG, norm="none", spectral_norm=True)


def diagnose(pack, method, state):
    figures = method.diagnose(state, Probe(pack, 0, 8, CPU.device))
    return dict(zip(Gan.diagnostics, figures.tolist(), strict=True))


class Bright(nn.Module):
    """A D that likes bright images."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.full((1, 1, 1, 1), 4.0))

    def forward(self, images):
        return self.weight.flatten() * images.mean((1, 2, 3))


def test_figures_are_what_they_are_called(pack_file):
    pack = Pack(pack_file)
    method, state = create(CONFIG, 32, CPU)
    state.networks["D"] = Bright()
    found = diagnose(pack, method, state)
    reals = pack.images[list(held_out(len(pack)))].float() / 127.5 - 1
    logits = 4 * reals.mean((1, 2, 3))
    assert found["D_held_out"] == pytest.approx(logits.sigmoid().mean().item())
    assert found["accuracy_held_out"] == pytest.approx((logits > 0).float().mean().item())
    assert found["pace_D"] == pytest.approx(2e-4 / 4)
    assert 0.2 < found["diversity_reals"] < 1
    assert found["diversity"] < found["diversity_reals"]


def test_overfitting_is_0_for_a_D_that_treats_all_reals_alike_and_1_if_it_knows_its_own(pack_file):
    pack = Pack(pack_file)
    kept = {tuple(image[:, 0, 0].tolist()) for image in pack.images[list(held_out(len(pack)))]}

    class Judge(nn.Module):
        def __init__(self, of_held_out):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1, 1, 1, 1))
            self.of_held_out = of_held_out

        def forward(self, images):
            corners = ((images[:, :, 0, 0] + 1) * 127.5).round().int().tolist()
            levels = (images + 1) * 127.5
            are_real = ((levels - levels.round()).abs() < 1e-3).flatten(1).all(1)
            return torch.tensor(
                [
                    (self.of_held_out if tuple(c) in kept else 3.0) if real else -2.0
                    for c, real in zip(corners, are_real, strict=True)
                ]
            )

    method, state = create(CONFIG, 32, CPU)
    for of_held_out, expected in ((3.0, 0.0), (-2.0, 1.0), (0.5, 0.5)):
        state.networks["D"] = Judge(of_held_out)
        assert diagnose(pack, method, state)["overfitting"] == pytest.approx(expected)


@pytest.mark.parametrize("config", [CONFIG, FREE], ids=["batch", "spectral"])
def test_to_diagnose_leaves_no_trace(pack_file, config):
    method, state = create(config, 32, CPU)
    before = {name: tensor.clone() for name, tensor in tensors_of(state).items()}
    one = diagnose(Pack(pack_file), method, state)
    after = tensors_of(state)
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert all(network.training for network in state.networks.values())
    assert diagnose(Pack(pack_file), method, state) == one


def test_an_observed_network_computes_what_it_does_while_it_trains():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    x = torch.randn(5, 3, 8, 8)
    expected = copy.deepcopy(network)(x)
    with observed(network):
        torch.testing.assert_close(network(x), expected)
    assert not network[1].running_mean.any()


def test_diversity_is_the_spread_over_images_and_hardly_that_of_noise():
    levels = torch.linspace(-1, 1, 64)[:, None, None, None].expand(64, 3, 32, 32)
    assert diversity(levels).item() == pytest.approx(levels[:, 0, 0, 0].std().item())
    assert diversity(levels[:1].expand(64, 3, 32, 32)).item() == 0
    assert diversity(0.1 * torch.randn(64, 3, 32, 32)).item() == pytest.approx(0.1 / 4, rel=0.1)


def test_pace_is_the_step_against_the_size_of_the_weights():
    network = nn.Conv2d(3, 4, 3)
    nn.init.constant_(network.weight, -0.02)
    assert update_to_weight_ratio(network, 1e-3).item() == pytest.approx(0.05)


def test_a_dataset_too_small_to_hold_images_out_gives_no_figures_of_them(pack_file, monkeypatch):
    monkeypatch.setattr("ganface.dataset.order.HELD_OUT", 1000)
    found = diagnose(Pack(pack_file), *create(CONFIG, 32, CPU))
    nothing = ("D_held_out", "accuracy_held_out", "overfitting")
    assert all((found[name] != found[name]) == (name in nothing) for name in Gan.diagnostics)


def test_batchnorm_over_several_gpus_is_observed_as_well():
    network = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm2d(4)))
    with observed(network):
        assert network[0].training
        assert not network[0].track_running_stats
    assert network[0].track_running_stats
