"""G and D that are told what images show."""

import copy

import pytest
import torch
from conftest import changed, dcgan
from torch.optim import SGD

from ganface.config.dataset import BuildConfig
from ganface.dataset.build import build_pack
from ganface.dataset.pack import Pack
from ganface.errors import UserError
from ganface.latents.labels import multi_hot, with_labels
from ganface.latents.seeds import z_of
from ganface.losses.adversarial import relativistic_loss_D, relativistic_loss_G
from ganface.methods.base import Batch, TrainState
from ganface.methods.gan import DROPPED, WRONG_LABELS
from ganface.models.dcgan import EXAMPLES, Discriminator, Generator
from ganface.models.generate import labels_of, latents_of
from ganface.models.registry import describe, read_description
from ganface.system.device import Compute
from ganface.training.config import TrainConfig
from ganface.training.start import create

CPU = Compute(torch.device("cpu"), "fp32")
ATTRIBUTES = {"hair": ("aqua", "red", "black"), "mood": ("gay", "sad")}
VALUES, BATCH = 5, 6
CONFIG = TrainConfig.of({"width": 4, "z_dim": 8, "augment": "off", "r1": 0.0, "r2": 0.0})


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def networks():
    config = dcgan(modulate=True, norm="none", labels=ATTRIBUTES)
    G, D = Generator(config), Discriminator(config)
    for seed, network in enumerate((G, D)):
        network.initialise(torch.Generator().manual_seed(seed))
    return G.eval(), D


def stirred(network):
    """With no weight at 0, as labels begin."""
    with torch.no_grad():
        for number, parameter in enumerate(network.parameters()):
            parameter += 0.1 * noise(number, *parameter.shape)
    return network


LABELS = multi_hot(torch.tensor([[1, 1], [2, 2], [3, 0], [0, 1], [0, 0], [1, 2]]), ATTRIBUTES)


def test_at_first_labels_change_nothing(networks):
    G, D = networks
    z, images = noise(0, BATCH, 8), noise(1, BATCH, 3, 32, 32)
    assert torch.equal(G(with_labels(z, LABELS)), G(z))
    assert torch.equal(D(images, labels=LABELS), D(images))


def test_without_labels_G_is_given_zeros(networks):
    G, z = stirred(networks[0]), noise(0, BATCH, 8)
    zeros = torch.zeros(BATCH, VALUES)
    assert torch.equal(G(z), G(with_labels(z, zeros)))
    told = G(with_labels(z, LABELS))
    changed_by = (told - G(z)).abs().flatten(1).amax(1)
    assert (changed_by > 1e-4).tolist() == [True, True, True, True, False, True]
    spread = with_labels(z[:, None].expand(-1, G.places, -1), LABELS[:, None])
    torch.testing.assert_close(G(spread), told)


def test_D_adds_what_each_value_stands_for(networks):
    D, images = stirred(networks[1]), noise(1, BATCH, 3, 32, 32)
    features = D.features(images).permute(0, 2, 3, 1).flatten(1)
    expected = D(images) + torch.stack(
        [f @ (D.projection.weight @ v) for f, v in zip(features, LABELS, strict=True)]
    )
    torch.testing.assert_close(D(images, labels=LABELS), expected)


def test_faces_that_nobody_ordered_are_labelled_as_images_are(faces, tmp_path):
    rows = "".join(f"{i:03d}.png,{'ab'[i % 2]},{'xy'[i % 2]}\n" for i in range(100))
    (tmp_path / "labels.csv").write_text("file,first,second\n" + rows)
    build = BuildConfig(size=32, labels=str(tmp_path / "labels.csv"))
    build_pack(faces, tmp_path / "p.safetensors", build, workers=1)
    pack = Pack(tmp_path / "p.safetensors")
    method, state = create(CONFIG, 32, CPU, pack.attributes)
    method.prepare(state, pack)
    assert torch.equal(state.ema["G"].examples, state.networks["G"].examples)
    told = labels_of(state.ema["G"], [5, 6, 5 + EXAMPLES])
    assert torch.equal(told[0], told[2])
    labels = labels_of(state.ema["G"], range(500))
    assert torch.equal(labels[:, 0], labels[:, 1])  # as they go together in images
    assert 200 < (labels[:, 0] == 1).sum() < 300
    latents = latents_of(state.ema["G"], [5, 6])
    assert torch.equal(latents[:, :8], z_of([5, 6], 8))
    assert torch.equal(latents[:, 8:], multi_hot(told[:2], pack.attributes))


def test_labels_need_layers_that_hear_of_them():
    with pytest.raises(UserError, match="--no-modulate and --preset dcgan"):
        dcgan(modulate=False, labels=ATTRIBUTES)
    with pytest.raises(UserError, match="lists of values"):
        dcgan(modulate=True, labels={"hair": "aqua"})


def test_a_file_says_which_labels_G_knows_and_of_none_nothing():
    config = dcgan(modulate=True, labels=ATTRIBUTES)
    assert read_description(describe(config)) == config
    assert "labels" not in describe(dcgan())


def test_some_labels_are_dropped_together_and_some_one_by_one():
    method, _ = create(CONFIG, 32, CPU, ATTRIBUTES)
    labels = torch.randint(1, 3, (20_000, 2), generator=torch.Generator().manual_seed(0))
    labels = labels.to(torch.uint8)
    told = method.labels(1, labels)["labels"]
    hair, mood = (part.sum(1) == 1 for part in told.split([3, 2], 1))
    assert torch.equal(told[hair][:, :3], multi_hot(labels, ATTRIBUTES)[hair][:, :3])
    share = (1 - DROPPED) * (1 - DROPPED)
    assert hair.float().mean().item() == pytest.approx(share, abs=0.01)
    neither = DROPPED + (1 - DROPPED) * DROPPED**2
    assert (~hair & ~mood).float().mean().item() == pytest.approx(neither, abs=0.01)
    assert torch.equal(told, method.labels(1, labels)["labels"])
    assert not torch.equal(told, method.labels(2, labels)["labels"])


def test_wrong_labels_are_another_image_s_in_one_attribute():
    method, _ = create(CONFIG, 32, CPU, ATTRIBUTES)
    dice = torch.Generator().manual_seed(0)
    counts = torch.tensor([3, 2])
    labels = (torch.rand(5000, 2, generator=dice) * (counts + 1)).long().to(torch.uint8)
    found = method.labels(1, labels)
    right, wrong = found["labels"], found["wrong_labels"]
    differs = torch.stack(
        [
            (a != b).any(1)
            for a, b in zip(right.split([3, 2], 1), wrong.split([3, 2], 1), strict=True)
        ]
    )
    assert not differs.all(0).any()
    assert 0.15 < differs[0].float().mean() < 0.4
    # What nothing is known of is not called wrong, nor is it a wrong label to know nothing
    assert torch.equal(right.sum(1), wrong.sum(1))
    others = multi_hot(labels.roll(1, 0), ATTRIBUTES)
    assert torch.equal(wrong[differs[0], :3], others[differs[0], :3])


def test_D_tells_the_labels_of_real_images_from_wrong_ones(networks):
    G, D = (stirred(network) for network in networks)
    by_hand_G, by_hand_D = copy.deepcopy(G).train(), copy.deepcopy(D)
    reals, z, wrong = noise(2, BATCH, 3, 32, 32).tanh(), noise(3, BATCH, 8), LABELS.roll(1, 0)
    given = {"z": z, "labels": LABELS, "wrong_labels": wrong}
    optimizers = {"G": SGD(G.parameters(), 0.0), "D": SGD(D.parameters(), 0.0)}
    tensors = {"augment_p": torch.zeros(())}
    state = TrainState({"G": G.train(), "D": D}, optimizers, {}, tensors, CPU.grad_scaler())
    method, _ = create(CONFIG, 32, CPU, ATTRIBUTES)
    method.update(state, [Batch(reals, torch.arange(BATCH), given)], apply_reg=False)

    fakes = by_hand_G(with_labels(z, LABELS))
    real_logits = by_hand_D(reals, labels=LABELS)
    loss_D = relativistic_loss_D(real_logits, by_hand_D(fakes.detach(), labels=LABELS))
    told_apart = relativistic_loss_D(real_logits, by_hand_D(reals, labels=wrong))
    loss_D = loss_D + WRONG_LABELS * told_apart
    expected = torch.autograd.grad(loss_D, list(by_hand_D.parameters()))
    torch.testing.assert_close([p.grad for p in D.parameters()], list(expected))

    loss_G = relativistic_loss_G(real_logits.detach(), by_hand_D(fakes, labels=LABELS))
    expected = torch.autograd.grad(loss_G, list(by_hand_G.parameters()))
    torch.testing.assert_close([p.grad for p in G.parameters()], list(expected))


@pytest.mark.parametrize("loss", ["hinge", "wgan-gp", "rpgan"])
def test_every_loss_and_its_penalties_take_labels(loss):
    config = changed(TrainConfig.of({"width": 4, "z_dim": 8, "loss": loss}), batch_size=BATCH)
    method, state = create(config, 32, CPU, ATTRIBUTES)
    given = method.noise(1, BATCH) | {"labels": LABELS, "wrong_labels": LABELS.roll(1, 0)}
    before = state.networks["D"].projection.weight.clone()
    batch = Batch(noise(2, BATCH, 3, 32, 32).tanh(), torch.arange(BATCH), given)
    for optimizer in state.optimizers.values():
        optimizer.param_groups[0]["lr"].fill_(1e-3)
    assert method.update(state, [batch], apply_reg=bool(method.reg_interval)).isfinite().all()
    assert not torch.equal(state.networks["D"].projection.weight, before)
