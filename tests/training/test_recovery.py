"""A weight that is no number, put into a real run."""

import json

import pytest
import torch
from conftest import TINY, call

from ganface.io.run import Run
from ganface.io.tensors import read_tensors
from ganface.methods.gan import Gan

OPTIONS = (*TINY, "--steps", 60, "--milestones", 60, "--checkpoint-every", 20, "--seeds", "0-3")


def poison(monkeypatch, at, times=1):
    """Make a weight of G no number after so many updates, so many times."""
    updates, left, original = 0, times, Gan.update

    def update(method, state, *arguments):
        nonlocal updates, left
        result = original(method, state, *arguments)
        updates += 1
        if updates >= at and left:
            left -= 1
            with torch.no_grad():
                next(state.networks["G"].parameters())[0, 0] = torch.nan
        return result

    monkeypatch.setattr(Gan, "update", update)


def stats(run):
    return [json.loads(line) for line in run.stats.read_text().splitlines()]


@pytest.fixture(scope="module")
def plain(pack_file, tmp_path_factory):
    """A run that nothing happened to. Not to be written to."""
    run = Run(tmp_path_factory.mktemp("runs") / "plain")
    assert call("train", pack_file, "--out", run.path, *OPTIONS) == 0
    return run


@pytest.mark.parametrize(("at", "back"), [(5, 0), (33, 20), (40, 20), (60, 40)])
def test_the_run_goes_back_to_its_last_good_state_and_on(
    tmp_path, pack_file, invoke, monkeypatch, plain, at, back
):
    run = Run(tmp_path / "run")
    poison(monkeypatch, at)
    result = invoke("train", pack_file, "--out", run.path, *OPTIONS)
    result.done()
    verdict = f"went back to step {back}, and on in fp32"
    assert verdict in result.err
    assert [line["step"] for line in stats(run) if verdict in line["verdict"]] == [back]
    assert all("NaN" not in line for line in run.stats.read_text().splitlines())
    # It was fp32 before, so it ends as if nothing had happened
    same = read_tensors(plain.generator, "snapshot")[1]
    for name, tensor in read_tensors(run.generator, "snapshot")[1].items():
        assert torch.equal(tensor, same[name])


def test_what_is_no_number_twice_ends_the_run_with_its_last_good_checkpoint(
    tmp_path, pack_file, invoke, monkeypatch
):
    run = Run(tmp_path / "run")
    poison(monkeypatch, 33, times=1000)
    line = invoke("train", pack_file, "--out", run.path, *OPTIONS).failed()
    assert "not a number" in line
    assert "lower --lr" in line
    for path in [*run.checkpoints().values(), run.generator]:
        if path.exists():
            assert all(
                t.isfinite().all() for t in read_tensors(path, "checkpoint", "snapshot")[1].values()
            )
    assert list(run.checkpoints()) == [20]

    monkeypatch.undo()
    invoke("train", pack_file, "--out", run.path, *OPTIONS, "--resume").done()
    assert max(run.checkpoints()) == 60


def test_a_run_that_went_back_stays_in_fp32(tmp_path, pack_file, invoke, monkeypatch):
    run = Run(tmp_path / "run")
    options = [o if o != "fp32" else "bf16" for o in OPTIONS]
    poison(monkeypatch, 33)
    invoke("train", pack_file, "--out", run.path, *options).done()
    assert [line["precision"] for line in stats(run) if "precision" in line] == ["bf16"] * 2 + [
        "fp32"
    ] * 4
    assert json.loads(run.config.read_text())["precision"] == "fp32"
    invoke("train", pack_file, "--out", run.path, *options, "--resume", "--steps", 70).done()
    assert stats(run)[-1]["precision"] == "fp32"
