"""A number that is none, anywhere in the state, at any step; and losses too large for fp16."""

import random

import torch
from runs import EVERY, STEPS, command

from ganface.io.run import Run
from ganface.io.tensors import read_tensors
from ganface.methods.gan import Gan
from ganface.system.device import Compute
from ganface.training import plan
from ganface.training.loop import DIAGNOSE


def poison(state, dice):
    """Make an entry of the state NaN or infinite; say of what."""
    places = {
        "a weight of G": next(state.networks["G"].parameters()),
        "a weight of D": next(state.networks["D"].parameters()),
        "statistics of G": next(
            b for n, b in state.networks["G"].named_buffers() if "running_var" in n
        ),
    }
    for moments in state.optimizers["D"].state.values():  # once it has one
        places["a moment of D"] = moments["exp_avg_sq"]
    name = dice.choice(list(places))
    with torch.no_grad():
        places[name][(0,) * places[name].ndim] = dice.choice([torch.nan, torch.inf])
    return name


def test_the_run_recovers_or_stops_and_what_is_saved_is_good(
    pack_file, tmp_path, invoke, monkeypatch, tries, figure
):
    update, dice = Gan.update, random.Random(0)
    met = {"recovered": 0, "stopped": 0}
    for number in tries(4, 60):
        run, left = Run(tmp_path / str(number)), dice.randrange(1, STEPS)
        if number % 4 == 0:
            left = DIAGNOSE  # what is examined then has no number either, but the means have
        after, twice, where = number % 4 == 0, number % 4 == 3, []

        def poisoned(method, state, *arguments):
            nonlocal left
            left -= 1
            means = update(method, state, *arguments) if after else None  # noqa: B023
            if left == 0 or (twice and left == -EVERY):  # noqa: B023
                where.append(poison(state, dice))  # noqa: B023
            return means if after else update(method, state, *arguments)  # noqa: B023

        monkeypatch.setattr(Gan, "update", poisoned)
        result = invoke(*command(pack_file, run))
        assert "Traceback" not in result.err
        assert "not a number: at step" in result.err, where
        if result.code:
            met["stopped"] += 1
            assert twice
            assert "in fp32 as well" in result.failed()
        else:
            met["recovered"] += 1
            assert max(run.checkpoints()) == STEPS
        for path in [*run.checkpoints().values(), *run.snapshots().values()]:
            _, tensors = read_tensors(path, "checkpoint", "snapshot")
            assert all(tensor.isfinite().all() for tensor in tensors.values())
    figure(f"{len(tries(4, 60))} poisoned: {met['recovered']} recovered, {met['stopped']} stopped")


def test_losses_too_large_for_fp16_skip_steps_and_harm_nothing(
    pack_file, tmp_path, invoke, monkeypatch
):
    """The scaler begins so high that every gradient overflows, and comes down by itself."""
    monkeypatch.setattr(
        Compute, "grad_scaler", lambda _: torch.amp.GradScaler("cpu", init_scale=2.0**40)
    )
    monkeypatch.setattr(plan, "choose_precision", lambda *_: "fp16")  # PyTorch can, if slowly
    run = Run(tmp_path / "run")
    result = invoke(*command(pack_file, run))
    assert result.code == 0, result.err
    meta, tensors = read_tensors(run.checkpoint(STEPS), "checkpoint")
    assert 0 < meta["scaler"]["scale"] < 2.0**40
    assert all(tensor.isfinite().all() for tensor in tensors.values())
    assert tensors["opt_G.0.step"] < STEPS  # some were skipped
    assert tensors["opt_G.0.step"] > STEPS / 4
