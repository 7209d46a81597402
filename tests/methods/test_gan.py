import copy
from collections import Counter

import pytest
import torch
from conftest import changed, dcgan
from torch import nn
from torch.optim import SGD, Adam

from ganface.losses.adversarial import LOSSES, non_saturating_loss_D, non_saturating_loss_G
from ganface.losses.augment import AUGMENT_NOISE, augment, random_changes
from ganface.losses.penalties import one_centred, zero_centred
from ganface.methods.base import Batch, TrainState
from ganface.methods.gan import REG_INTERVAL, Gan
from ganface.methods.parts import frozen
from ganface.models.dcgan import Discriminator, Generator
from ganface.models.kernels.winograd import load_libraries
from ganface.models.layers import use_compiled
from ganface.system.compiler import CannotCompile
from ganface.system.device import DTYPES, Compute
from ganface.training.checkpoint import tensors_of
from ganface.training.config import TrainConfig
from ganface.training.start import create

CPU = Compute(torch.device("cpu"), "fp32")
BATCH = 8
PAPER = TrainConfig.of({"preset": "dcgan"})


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def networks():
    G, D = Generator(dcgan(32, 8, 4)), Discriminator(dcgan(32, width=4))
    for seed, network in enumerate((G, D)):
        network.initialise(torch.Generator().manual_seed(seed))
    return G, D


@pytest.fixture
def reals():
    return noise(2, BATCH, 3, 32, 32).tanh()


@pytest.fixture
def z():
    return noise(3, BATCH, 8)


def players(G, D, lr_G, lr_D):
    optimizers = {"G": SGD(G.parameters(), lr_G), "D": SGD(D.parameters(), lr_D)}
    tensors = {"augment_p": torch.tensor(1.0)}
    return TrainState({"G": G, "D": D}, optimizers, {}, tensors, CPU.grad_scaler())


def method(config, compute=CPU):
    return create(changed(config, width=4, z_dim=8), 32, compute)[0]


def batch_of(reals, z):
    places = noise(6, len(z)).sigmoid()
    indices = torch.arange(len(z))
    return Batch(reals, indices, {"z": z, "augment": changes(len(z)), "interpolation": places})


def changes(count):
    """What becomes of so many reals and fakes."""
    return random_changes(noise(5, count, 2, AUGMENT_NOISE).sigmoid(), 32)


def update(players, reals, z, compute=CPU, config=PAPER, apply_reg=False):
    """One update of D and G, on one batch."""
    return method(config, compute).update(players, [batch_of(reals, z)], apply_reg)


def values(network):
    return [parameter.detach().clone() for parameter in network.parameters()]


def norm_of(network):
    return torch.cat([p.grad.flatten() for p in network.parameters()]).norm()


def assert_moved(network, start, gradients, lr):
    for parameter, old, gradient in zip(network.parameters(), start, gradients, strict=True):
        torch.testing.assert_close(parameter.detach(), old - lr * gradient)


@pytest.mark.parametrize(("lr_G", "lr_D"), [(0.0, 0.5), (0.5, 0.0), (0.5, 0.5)])
def test_each_player_moves_by_the_gradient_of_its_own_loss_alone(networks, reals, z, lr_G, lr_D):
    G, D = networks
    start_G, start_D = values(G), values(D)
    by_hand_G, by_hand_D = copy.deepcopy(networks)

    both = players(G, D, lr_G, lr_D)
    update(both, reals, z)

    # D's loss, with G as it was
    with torch.no_grad():
        fakes = copy.deepcopy(by_hand_G)(z)
    loss_D = non_saturating_loss_D(by_hand_D(reals), by_hand_D(fakes))
    gradients_D = torch.autograd.grad(loss_D, list(by_hand_D.parameters()))
    torch.testing.assert_close([p.grad for p in D.parameters()], list(gradients_D))
    assert_moved(D, start_D, gradients_D, lr_D)

    # G's loss, with D as it is now
    with torch.no_grad():
        for parameter, gradient in zip(by_hand_D.parameters(), gradients_D, strict=True):
            parameter -= lr_D * gradient
    loss_G = non_saturating_loss_G(loss_D, by_hand_D(by_hand_G(z)))
    gradients_G = torch.autograd.grad(loss_G, list(by_hand_G.parameters()))
    torch.testing.assert_close([p.grad for p in G.parameters()], list(gradients_G))
    assert_moved(G, start_G, gradients_G, lr_G)


def test_gradients_do_not_pile_up_over_updates(networks, reals, z):
    still = players(*networks, 0.0, 0.0)
    update(still, reals, z)
    first = [p.grad.clone() for network in networks for p in network.parameters()]
    update(still, reals, z)
    second = [p.grad for network in networks for p in network.parameters()]
    torch.testing.assert_close(second, first)


def test_statistics_are_those_from_before_the_update(networks, reals, z):
    G, D = copy.deepcopy(networks)
    with torch.no_grad():
        real_logits, fake_logits = D(reals), D(G(z))
    statistics = update(players(*networks, 0.0, 0.0), reals, z)
    G, D = networks
    expected = {
        "loss_D": non_saturating_loss_D(real_logits, fake_logits),
        "loss_G": non_saturating_loss_G(real_logits, fake_logits),  # D has not moved
        "D_x": real_logits.sigmoid().mean(),
        "D_Gz": fake_logits.sigmoid().mean(),
        "accuracy_real": (real_logits > 0).float().mean(),
        "accuracy_fake": (fake_logits < 0).float().mean(),
        "grad_D": norm_of(D),
        "grad_G": norm_of(G),
    }
    assert not statistics.requires_grad
    torch.testing.assert_close(statistics, torch.stack([expected[name] for name in Gan.metrics]))


def test_a_step_that_the_scaler_skips_gives_finite_statistics(networks, reals, z):
    game = players(*networks, 1.0, 1.0)
    game.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**60)  # fp16 ends at 2**16
    start = [values(network) for network in networks]
    statistics = update(game, reals, z, Compute(torch.device("cpu"), "fp16"))
    found = dict(zip(Gan.metrics, statistics.tolist(), strict=True))
    torch.testing.assert_close([values(network) for network in networks], start, rtol=0, atol=0)
    assert found["grad_D"] == found["grad_G"] == 0
    assert found["loss_D"] > 0


def test_reals_and_fakes_are_normalised_apart(networks, reals, z):
    """In one common batch, D could tell the two by their place in the common statistics."""
    G, D = networks
    norm = next(module for module in D.modules() if isinstance(module, nn.BatchNorm2d))
    sizes = []
    norm.register_forward_hook(lambda module, inputs, output: sizes.append(len(inputs[0])))  # noqa: ARG005
    update(players(G, D, 0.1, 0.1), reals, z)
    assert sizes == [BATCH] * 3


def test_D_learns_to_tell_a_tiny_set_from_the_fakes(networks, reals, z):
    G, D = networks
    arena = players(G, D, 0.0, 0.0)
    arena.optimizers["D"] = Adam(D.parameters(), 2e-3, betas=(0.5, 0.999))
    losses = [update(arena, reals, z)[0].item() for _ in range(15)]
    assert losses[-1] < 0.5 * losses[0]


def test_G_learns_to_deceive_a_D_that_stands_still(networks, reals, z):
    G, D = networks
    arena = players(G, D, 0.0, 0.0)
    arena.optimizers["G"] = Adam(G.parameters(), 2e-3, betas=(0.5, 0.999))
    statistics = torch.stack([update(arena, reals, z) for _ in range(15)])
    loss_G, D_Gz = statistics[:, 1], statistics[:, 3]
    assert loss_G[-1] < loss_G[0]
    assert D_Gz[-1] > D_Gz[0]


FREE = changed(PAPER, norm="none")


@pytest.fixture
def free():
    """Networks without BatchNorm in D."""
    G, D = Generator(dcgan(32, 8, 4)), Discriminator(dcgan(32, width=4, norm="none"))
    for seed, network in enumerate((G, D)):
        network.initialise(torch.Generator().manual_seed(seed))
    return G, D


def test_without_BatchNorm_reals_and_fakes_go_through_D_together(free, reals, z):
    G, D = free
    by_hand = copy.deepcopy(D)
    with torch.no_grad():
        fakes = G(z)
    loss = non_saturating_loss_D(by_hand(reals), by_hand(fakes))
    expected = torch.autograd.grad(loss, list(by_hand.parameters()))
    sizes = []
    D.layers[0].register_forward_hook(lambda module, inputs, output: sizes.append(len(inputs[0])))  # noqa: ARG005
    update(players(G, D, 0.0, 0.0), reals, z, config=FREE)
    torch.testing.assert_close([p.grad for p in D.parameters()], list(expected))
    assert sizes == [2 * BATCH, BATCH]


def test_penalties_are_added_to_the_loss_of_D_where_they_are_due(free, reals, z):
    G, D = free
    config = changed(FREE, r1=0.3, r2=0.7)
    with torch.no_grad():
        fakes = G(z)
    update(players(G, D, 0.0, 0.0), reals, z, config=config)
    loss_alone = [p.grad.clone() for p in D.parameters()]
    half = BATCH // 2
    penalty = (
        0.3 * zero_centred(D, reals[:half]).mean() + 0.7 * zero_centred(D, fakes[:half]).mean()
    )
    weight = REG_INTERVAL * (32 / 64) ** 2
    expected = torch.autograd.grad(weight * penalty, list(D.parameters()), allow_unused=True)
    update(players(G, D, 0.0, 0.0), reals, z, config=config, apply_reg=True)
    for parameter, alone, extra in zip(D.parameters(), loss_alone, expected, strict=True):
        whole = alone if extra is None else alone + extra
        torch.testing.assert_close(parameter.grad, whole, rtol=1e-4, atol=1e-6)


def test_the_wasserstein_loss_is_penalised_always(free, reals, z):
    G, D = free
    config = changed(FREE, loss="wgan-gp")
    mix = noise(6, BATCH).sigmoid()
    with torch.no_grad():
        fakes = G(z)
    loss = D(fakes).mean() - D(reals).mean() + 10 * one_centred(D, reals, fakes, mix)
    expected = torch.autograd.grad(loss, list(D.parameters()))
    update(players(G, D, 0.0, 0.0), reals, z, config=config)
    torch.testing.assert_close([p.grad for p in D.parameters()], list(expected))


def test_G_s_relativistic_loss_compares_with_what_D_said_of_the_reals(free, reals, z):
    G, D = free
    config = changed(FREE, loss="rpgan")
    by_hand, said = copy.deepcopy(G), D(reals).detach()
    update(players(G, D, 0.0, 0.5), reals, z, config=config)
    loss = LOSSES["rpgan"].G(said, D(by_hand(z)))
    expected = torch.autograd.grad(loss, list(by_hand.parameters()))
    torch.testing.assert_close([p.grad for p in G.parameters()], list(expected))


def test_D_is_updated_once_for_each_batch_and_G_once(networks, reals, z):
    G, D = networks
    one, two = (batch_of(sign * reals, sign * z) for sign in (1, -1))
    by_hand = players(*copy.deepcopy(networks), 0.0, 0.5)
    update(by_hand, one.reals, one.noise["z"])
    by_hand.optimizers["G"].param_groups[0]["lr"] = 0.5
    update(by_hand, two.reals, two.noise["z"])
    method(PAPER).update(players(G, D, 0.5, 0.5), [one, two], False)
    for name, network in (("G", G), ("D", D)):
        torch.testing.assert_close(values(network), values(by_hand.networks[name]))


@pytest.mark.parametrize(
    ("augment", "bound", "after"),
    [
        ("adaptive", -1.0, 0.5 + 64 / 300_000),
        ("adaptive", 2.0, 0.5 - 64 / 300_000),
        ("on", -1.0, 0.5),
    ],
)
def test_an_adaptive_augmentation_grows_while_D_gets_too_much_right(
    networks, reals, z, monkeypatch, augment, bound, after
):
    monkeypatch.setattr("ganface.losses.augment.RIGHT", bound)
    playing = players(*networks, 0.0, 0.0)
    playing.tensors["augment_p"].fill_(0.5)
    update(playing, reals[:4], z[:4], config=changed(PAPER, augment=augment))
    assert playing.tensors["augment_p"].item() == pytest.approx(after, abs=1e-7)


def test_D_sees_reals_and_fakes_augmented_and_G_learns_through_it(networks, reals, z):
    G, D = networks
    config = changed(PAPER, augment="on")
    seen = []
    first = D.layers[0]
    first.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].detach()))  # noqa: ARG005
    with torch.no_grad():
        fakes = copy.deepcopy(G)(z)
    update(players(G, D, 0.0, 0.0), reals, z, config=config)
    (for_reals, for_fakes), one = changes(BATCH).unbind(1), torch.tensor(1.0)
    seen_reals, seen_fakes = seen[0].chunk(2)
    torch.testing.assert_close(seen_reals, augment(reals, for_reals, one))
    torch.testing.assert_close(seen_fakes, augment(fakes, for_fakes, one))
    assert torch.equal(seen[1], seen_fakes)
    assert all(p.grad.any() for p in G.parameters())


def test_frozen_ends_with_its_block_even_by_an_error(networks):
    _, D = networks
    with frozen(D):
        assert not any(p.requires_grad for p in D.parameters())
    assert all(p.requires_grad for p in D.parameters())

    with pytest.raises(ValueError, match="stop"), frozen(D):
        raise ValueError("stop")
    assert all(p.requires_grad for p in D.parameters())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_compiled_kernels_lose_at_most_twice_the_bits_of_plain_ones(precision):
    """Each tensor's error after one update, against float64, over several updates."""
    try:
        load_libraries(DTYPES[precision])
    except CannotCompile as error:
        pytest.skip(f"nothing to compile with: {error}")
    compute = Compute(torch.device("cpu"), precision)
    config = changed(PAPER, width=16, z_dim=16, batch_size=16)

    def updated(seed, dtype, compute, compiled):
        method, state = create(changed(config, seed=seed), 32, compute)
        for network in state.networks.values():
            network.to(dtype)
            if compiled:
                use_compiled(network)
        reals, z = noise(seed, 16, 3, 32, 32).tanh(), noise(seed + 1, 16, 16)
        method.update(state, [batch_of(reals.to(dtype), z.to(dtype))], False)
        tensors = tensors_of(state)
        return {n: t for n, t in tensors.items() if t.is_floating_point() and t.dim() and t.any()}

    squares = {False: Counter(), True: Counter()}
    for seed in range(0, 12, 2):
        exact = updated(seed, torch.float64, CPU, False)
        for compiled, sums in squares.items():
            for name, value in updated(seed, torch.float32, compute, compiled).items():
                error = (value.double() - exact[name]).norm() / exact[name].norm()
                sums[name] += error.item() ** 2
    assert len(squares[True]) > 30
    for name, plain in squares[False].items():
        assert squares[True][name] <= 2**2 * plain, name


def test_fp16_takes_several_updates_of_D(reals, z):
    compute = Compute(torch.device("cpu"), "fp16")
    config = changed(PAPER, d_steps=3, width=4, z_dim=8)
    method, state = create(config, 32, compute)
    batches = [batch_of(reals, z)] * 3
    for _ in range(2):
        assert method.update(state, batches, False).isfinite().all()
    assert all(adam.state for adam in state.optimizers.values())
