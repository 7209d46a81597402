import math
from collections import Counter

import pytest

from ganface.search.draws import DEFAULT, KINDS, Draw, describe, draws_of, settings_of
from ganface.training.config import TrainConfig

MANY = range(1, 201)


@pytest.mark.parametrize("kind", KINDS)
def test_draws_fill_their_ranges_and_can_all_be_trained(kind):
    drawn = [settings_of(kind, number, 0) for number in MANY]
    for settings in drawn:
        TrainConfig.of({**KINDS[kind], **settings})
    decades = Counter(math.floor(math.log10(each["lr"])) for each in drawn)
    assert {*decades} == {-5, -4, -3}
    assert min(decades.values()) > 40
    assert min(each["beta1"] for each in drawn) < 0.05
    assert max(each["beta1"] for each in drawn) > 0.95


def test_settings_of_D_are_drawn_where_they_apply():
    for kind in ("ns", "lsgan", "hinge", "wgan-gp"):
        steps = Counter(settings_of(kind, number, 0)["d_steps"] for number in MANY)
        assert sorted(steps) == [1, 2, 3, 4, 5]
        norms = Counter(settings_of(kind, number, 0)["norm"] for number in MANY)
        assert {*norms} == ({"none"} if kind == "wgan-gp" else {"none", "batch"})
    assert {*settings_of("vae", 1, 0)} == {"lr", "beta1"}


def test_a_draw_is_a_function_of_kind_number_and_seed():
    few, many = draws_of(2, 7), draws_of(5, 7)
    assert many[: len(few)] == few
    assert len(many) == len({each.name for each in many}) == 6 * len(KINDS)
    first = settings_of("hinge", 1, 0)
    # Written down, so that a search of an older version can be gone on with
    assert first == {"lr": 8.02e-05, "beta1": 0.2048, "d_steps": 5, "norm": "batch"}
    assert first not in [settings_of(*other) for other in (("hinge", 2, 0), ("hinge", 1, 1))]


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults_are_those_of_train(kind):
    settings = settings_of(kind, DEFAULT, 3)
    assert TrainConfig.of({**KINDS[kind], **settings}) == TrainConfig.of(KINDS[kind])


def test_what_train_is_told():
    draw = Draw("ns", 3, {"lr": 0.00031, "beta1": 0.6249, "d_steps": 2, "norm": "batch"})
    assert draw.name == "ns-3"
    words = "--loss ns --lr 0.00031 --beta1 0.6249 --d-steps 2 --norm batch"
    assert draw.flags == words.split()
    assert describe(draw.settings) == "lr 3.1e-04, beta1 0.62, d-steps 2, norm batch"
    assert Draw("vae", DEFAULT, {}).name == "vae-default"
