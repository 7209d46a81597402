import pytest
from conftest import TINY

from ganface.config.settings import TrainConfig
from ganface.io.stats import read_lines
from ganface.training.schedule import learning_rates_at


def test_learning_rates_stay_and_then_fall_with_the_root_of_the_step():
    config = TrainConfig(lr=4e-4, lr_d=1e-3, lr_decay=100)
    assert learning_rates_at(1, config) == learning_rates_at(100, config) == (1e-3, 4e-4)
    assert learning_rates_at(400, config) == pytest.approx((5e-4, 2e-4))
    assert learning_rates_at(10**6, TrainConfig(lr=4e-4, lr_decay=0)) == (4e-4, 4e-4)


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
