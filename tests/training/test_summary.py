"""What there is to say of a run as a whole."""

import json

import pytest

from ganface.errors import UserError
from ganface.io.run import write_config
from ganface.training.summary import summarise


def test_a_run_is_summed_up(tiny_run):
    summary = summarise(tiny_run)
    assert {"images": 100, "size": 32, "method": "gan", "step": 12, "steps": 12}.items() <= (
        summary.items()
    )
    assert summary["settings"]["width"] == 4
    assert "lr" not in summary["settings"]  # it is the default
    assert summary["snapshots"] == [4, 8, 12]
    assert summary["seconds"] > 0
    assert summary["best_step"] is None


def test_the_best_is_the_latest_that_is_about_as_good_as_the_lowest(run_copy):
    lines = run_copy.stats.read_text().splitlines()
    scored = [
        json.dumps({**json.loads(lines[-1]), "step": step, "score": score})
        for step, score in ((4, 10.0), (8, 12.0), (12, 30.0))
    ]
    run_copy.stats.write_text("\n".join(scored))
    summary = summarise(run_copy)
    assert (summary["best_step"], summary["best_score"], summary["score"]) == (8, 12.0, 30.0)


def test_a_run_of_a_method_that_is_not_known_here_is_summed_up_without_its_settings(run_copy):
    config = json.loads(run_copy.config.read_text())
    config["train"]["method"] = "diffusion"
    write_config(run_copy, {name: value for name, value in config.items() if name != "sha256"})
    summary = summarise(run_copy)
    assert (summary["method"], summary["settings"]) == ("diffusion", {})


def test_what_is_lost_is_left_out(run_copy):
    run_copy.stats.unlink()
    run_copy.generator.unlink()
    summary = summarise(run_copy)
    assert (summary["verdict"], summary["labels"], summary["seconds"]) == (None, None, None)


def test_the_step_is_that_of_the_newest_checkpoint_where_no_line_says_so(run_copy):
    lines = run_copy.stats.read_text().splitlines()
    run_copy.stats.write_text(json.dumps({**json.loads(lines[-1]), "step": 10}) + "\n")
    assert summarise(run_copy)["step"] == run_copy.checkpoints().popitem()[0] == 12


def test_a_damaged_generator_is_said(run_copy):
    data = bytearray(run_copy.generator.read_bytes())
    data[-5] ^= 1
    run_copy.generator.write_bytes(data)
    with pytest.raises(UserError, match=r"generator\.safetensors: damaged"):
        summarise(run_copy)
