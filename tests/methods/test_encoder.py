import json

import pytest
import torch
from conftest import TINY, train_config

from ganface.io.run import Run
from ganface.methods.autoencoder import LEARNED_BY_HEART
from ganface.methods.base import Batch
from ganface.methods.encoder import BY_HEART, LATENT, PRIOR, EncoderOfG
from ganface.models.snapshot import load_network
from ganface.system.device import Compute
from ganface.training.checkpoint import tensors_of
from ganface.training.start import create

CPU, BF16 = (Compute(torch.device("cpu"), precision) for precision in ("fp32", "bf16"))
OPTIONS = ("--method", "encoder", "--batch-size", 8, "--device", "cpu", "--precision", "fp32")


@pytest.fixture
def batch():
    g = torch.Generator().manual_seed(0)
    reals = torch.randn(8, 3, 1, 1, generator=g).tanh().expand(8, 3, 32, 32)
    reals = reals.contiguous(memory_format=torch.channels_last)
    return Batch(reals, torch.arange(8), {"z": torch.randn(8, 8, generator=g)})


def begin(model, compute=CPU, rate=1e-3):
    config = train_config(method="encoder", of=str(model), width=4, z_dim=8)
    method, state = create(config, 32, compute)
    method.start(state)
    state.optimizers["E"].param_groups[0]["lr"].fill_(rate)
    return method, state


@pytest.mark.parametrize("compute", [CPU, BF16])
def test_E_learns_and_G_stays_as_it_is(tiny_run, batch, compute):
    method, state = begin(tiny_run.generator, compute)
    before = {name: tensor.clone() for name, tensor in tensors_of(state).items()}
    found = torch.stack([method.update(state, [batch], False) for _ in range(40)])
    assert found.isfinite().all()
    assert found[-1, 0] < 0.9 * found[0, 0]
    assert found[-1, 1] < 0.9 * found[0, 1]
    changed = {n for n, t in tensors_of(state).items() if n in before and (t != before[n]).any()}
    assert changed == {n for n in before if n.startswith("E.")}


def test_the_loss_is_what_it_says(tiny_run, batch):
    method, state = begin(tiny_run.generator, rate=0.0)
    E, G = state.networks["E"], load_network(tiny_run.generator, "G")[0]
    with torch.no_grad():
        codes = E(batch.reals)
        of_z = (E(G(batch.noise["z"])) - batch.noise["z"]).square().mean()
        error = (G(codes) - batch.reals).square().mean()
    loss, found_z, found_error, _ = method.update(state, [batch], False)
    torch.testing.assert_close(found_z, of_z, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found_error, error, rtol=1e-4, atol=1e-5)
    prior = codes.square().mean()
    torch.testing.assert_close(loss, error + LATENT * of_z + PRIOR * prior, rtol=1e-4, atol=1e-5)


def test_a_run_keeps_the_G_of_its_model_and_is_resumed_to_the_bit_without_it(
    run_copy, pack_file, home, invoke
):
    train = ("train", pack_file, *OPTIONS, "--of", run_copy.path, "--checkpoint-every", 5)
    invoke(*train, "--out", "whole", "--steps", 20, "--milestones", 4).done()
    begun = invoke(*train, "--out", "again", "--steps", 6)
    assert f"an encoder for G of {run_copy.generator}, step 12" in begun.err
    G, _ = load_network(run_copy.generator, "G")
    run_copy.generator.unlink()
    invoke("train", pack_file, "--out", "again", "--steps", 20, "--resume").done()
    for role in ("E", "G"):
        one, other = (
            load_network(Run(home / name).generator, role)[0].state_dict()
            for name in ("whole", "again")
        )
        assert all(torch.equal(one[name], other[name]) for name in one)
        if role == "G":
            assert all(torch.equal(one[name], value) for name, value in G.state_dict().items())
    run = Run(home / "whole")
    assert run.sheet("reconstructions", 4).exists()
    line = json.loads(run.stats.read_text().splitlines()[-1])
    assert {*EncoderOfG.metrics, "lr", "lr_E"} <= line.keys()
    config = json.loads(run.config.read_text())["train"]
    assert (config["width"], config["z_dim"], config["modulate"]) == (4, 8, True)
    for command in (("sample",), ("interpolate",), ("plot",), ("info", "--json")):
        invoke(command[0], run.path, *command[1:]).done()


def test_projection_starts_at_its_guess(tiny_run, pack_file, faces, invoke):
    train = ("train", pack_file, *OPTIONS, "--of", tiny_run.path, "--out", "run")
    invoke(*train, "--steps", 60, "--milestones", 60).done()
    errors = []
    for model in ("run", tiny_run.path):
        found = invoke("project", model, faces, "--steps", 1, "--json").done()
        errors.append(json.loads(*found)["images"])
    mean = [sum(each["error_z"] for each in images) / 100 for images in errors]
    assert mean[0] < mean[1]


def test_what_has_no_G_for_it_is_refused_in_one_line(tiny_run, pack_file, faces, home, invoke):
    def refused(*options, data=pack_file):
        return invoke("train", data, *OPTIONS, "--out", "new", *options).refused()

    assert "--method encoder: needs a G that is finished; add --of MODEL" in refused()
    assert "nothing: there is no such file" in refused("--of", "nothing")
    assert "a pack, where a snapshot or checkpoint" in refused("--of", pack_file)
    assert "--width 8: " in refused("--of", tiny_run.path, "--width", 8)
    assert "--size 64: " in refused("--of", tiny_run.path, "--size", 64)
    (home / "cut").write_bytes(tiny_run.generator.read_bytes()[:-50])
    assert "cut: damaged" in refused("--of", "cut")
    data = bytearray(tiny_run.generator.read_bytes())
    data[-50] ^= 1
    (home / "flipped").write_bytes(data)
    assert "flipped: damaged" in refused("--of", "flipped")
    invoke("dataset", "build", faces, "other", "--size", 64, "--workers", 1).done()
    assert "draws faces of 32 pixels" in refused("--of", tiny_run.path, data="other")
    energy = ("--method", "energy", *TINY, "--steps", 1, "--milestones", 1)
    invoke("train", pack_file, "--out", "energy", *energy).done()
    assert "no gradient reaches z" in refused("--of", "energy")
    line = invoke("train", pack_file, "--of", tiny_run.path, "--out", "new").refused()
    assert "--of: is for --method encoder, not gan" in line
    assert not Run(home / "new").holds_training()


def test_one_that_knows_its_images_by_heart_is_told_flags_that_it_has():
    lines = [{"step": step, "error_seen": 0.1, "error_held_out": 0.3} for step in range(0, 999, 50)]
    assert EncoderOfG.judge(lines) == BY_HEART != LEARNED_BY_HEART
