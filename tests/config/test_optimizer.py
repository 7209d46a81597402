import pytest
from conftest import TINY

from ganface.config.optimizer import OptimizerConfig
from ganface.io.stats import read_lines


def test_learning_rates_stay_and_then_fall_with_the_root_of_the_step():
    falling = OptimizerConfig(lr_decay=100)
    assert falling.decay_at(1) == falling.decay_at(100) == 1
    assert falling.decay_at(400) == 0.5
    assert OptimizerConfig(lr_decay=0).decay_at(10**6) == 1


def test_a_training_takes_the_rates_of_its_steps_and_reports_them(pack_file, home, invoke):
    options = (*TINY, "--steps", 20, "--milestones", 10, "--lr", 1e-3)
    rates, pictures = {}, {}
    for name, decay in (("fixed", 0), ("falling", 1)):
        out = home / name
        invoke("train", pack_file, "--out", out, *options, "--lr-decay", decay).done()
        rates[name] = [line["lr"] for line in read_lines(out / "stats.jsonl")]
        pictures[name] = (out / "latest.png").read_bytes()
    assert rates["fixed"] == [1e-3, 1e-3]
    assert rates["falling"] == pytest.approx([1e-3 / 10**0.5, 1e-3 / 20**0.5])
    assert pictures["fixed"] != pictures["falling"]
