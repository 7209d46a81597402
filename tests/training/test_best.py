import json

import pytest
import torch
from conftest import TINY

from ganface.dataset.pack import Pack
from ganface.evaluation.score import Scorer
from ganface.io.run import Run
from ganface.io.tensors import read_tensors
from ganface.methods.verdict import WORSE
from ganface.models.generate import latents_of
from ganface.models.snapshot import load_generator
from ganface.training import snapshots

OPTIONS = (*TINY, "--steps", 30, "--milestones", "7,14,21,28", "--checkpoint-every", 10)
OPTIONS += ("--seeds", "0-3", "--evaluate-every", 7)


def scores(run):
    lines = [json.loads(line) for line in run.stats.read_text().splitlines()]
    return {line["step"]: line["score"] for line in lines if "score" in line}


@pytest.fixture
def whole(tmp_path, pack_file, invoke):
    run = Run(tmp_path / "whole")
    invoke("train", pack_file, "--out", run.path, *OPTIONS).done()
    return run


def test_the_latest_snapshot_is_kept_that_the_score_does_not_call_worse(whole, pack_file):
    found = scores(whole)
    assert list(found) == [7, 14, 21, 28]
    best = max(step for step, score in found.items() if score <= WORSE * min(found.values()))
    meta, tensors = read_tensors(whole.best, "snapshot")
    assert (meta["step"], meta["images_seen"]) == (best, 8 * best)
    same = read_tensors(whole.snapshot(best), "snapshot")[1]
    assert all(torch.equal(tensor, same[name]) for name, tensor in tensors.items())

    G, _ = load_generator(whole.best)
    faces = snapshots.generate_on_device(G, latents_of(G, range(64)))
    scorer = Scorer(Pack(pack_file), torch.device("cpu"))
    assert scorer.score(scorer.extract_features(faces)) == pytest.approx(found[best], rel=1e-6)


def test_a_resumed_run_keeps_what_an_undisturbed_one_keeps(whole, tmp_path, pack_file, invoke):
    run = Run(tmp_path / "again")
    for more in (("--steps", 15), ("--steps", 30, "--resume")):
        invoke("train", pack_file, "--out", run.path, *OPTIONS, *more).done()
    assert scores(run) == scores(whole)
    assert run.best.read_bytes() == whole.best.read_bytes()


def test_a_worse_one_is_not_kept(tmp_path, pack_file, invoke, monkeypatch):
    given = iter([5.0, 3.0, 3.7, 3.8])
    monkeypatch.setattr(Scorer, "score", lambda *_: next(given))
    run = Run(tmp_path / "run")
    result = invoke("train", pack_file, "--out", run.path, *OPTIONS)
    result.done()
    assert read_tensors(run.best, "snapshot")[0]["step"] == 21
    assert result.err.count("the lowest score so far") == 2
    assert list(scores(run).values()) == [5.0, 3.0, 3.7, 3.8]


def test_without_it_nothing_is_scored(tiny_run):
    assert not tiny_run.best.exists()
    assert scores(tiny_run) == {}
