import dataclasses

import pytest

from ganface.config.settings import (
    PRESETS,
    BuildConfig,
    DeviceConfig,
    TrainConfig,
    changed_settings,
    check_size,
    flag_of,
    parse_integers,
)
from ganface.errors import UserError


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("5", (5,)),
        ("0-3,9", (0, 1, 2, 3, 9)),
        ("9, 2-2 ,1", (9, 2, 1)),
        ("7,7", (7, 7)),
        (str(2**63 - 1), (2**63 - 1,)),
    ],
)
def test_integers_are_read_in_the_order_given(text, numbers):
    assert parse_integers("--seeds", text) == numbers


@pytest.mark.parametrize(
    "text",
    ["", ",", "1,", "a", "1-", "-1", "1--2", "1-2-3", "1.5", "5-1", "²", str(2**63), "0-1000000"],
)
def test_bad_integers_are_refused_by_flag_and_text(text):
    with pytest.raises(UserError) as error:
        parse_integers("--seeds", text)
    assert str(error.value).startswith(f"--seeds {text}: ")


def test_integers_below_the_lowest_are_refused():
    assert parse_integers("--milestones", "1", low=1) == (1,)
    with pytest.raises(UserError, match="--milestones 0-5: 0-5 is out of bounds"):
        parse_integers("--milestones", "0-5", low=1)


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        (BuildConfig, "size", 7),
        (BuildConfig, "size", 1025),
        (BuildConfig, "background", "notacolour"),
        (BuildConfig, "max_bad", 101),
        (BuildConfig, "max_bad", float("nan")),
        (TrainConfig, "steps", 0),
        (TrainConfig, "batch_size", 1),
        (TrainConfig, "width", 0),
        (TrainConfig, "lr", 0.0),
        (TrainConfig, "lr", float("nan")),
        (TrainConfig, "lr", float("inf")),
        (TrainConfig, "beta1", 1.0),
        (TrainConfig, "ema_decay", 1.0),
        (TrainConfig, "seed", -1),
        (TrainConfig, "seeds", "5-1"),
        (TrainConfig, "milestones", "0,100"),
        (TrainConfig, "checkpoint_every", 0),
        (TrainConfig, "keep", 0),
    ],
)
def test_each_setting_is_checked_and_named_as_its_flag(settings, name, value):
    with pytest.raises(UserError, match=f"^{flag_of(name)} "):
        settings(**{name: value})


@pytest.mark.parametrize("colour", ["white", "#fed", "#ffeedd", "rgb(1,2,3)"])
def test_colours_are_names_and_codes(colour):
    assert BuildConfig(background=colour).background == colour


def test_every_setting_has_a_help_text_that_ends_as_a_sentence():
    for settings in (BuildConfig, DeviceConfig, TrainConfig):
        for field in dataclasses.fields(settings):
            assert field.metadata["help"].endswith(".")


@pytest.mark.parametrize(
    ("steps", "milestones", "reached"),
    [
        (2000, "100,1000,5000", (100, 1000, 2000)),
        (1000, "1000,100,100", (100, 1000)),
        (5, "100", (5,)),
    ],
)
def test_milestones_are_those_that_the_run_reaches_and_its_end(steps, milestones, reached):
    assert TrainConfig(steps=steps, milestones=milestones).milestone_steps == reached


@pytest.mark.parametrize(
    ("settings", "named", "advice"),
    [
        ({"norm": "batch", "loss": "wgan-gp"}, "--loss wgan-gp", "add --norm none"),
        ({"norm": "none", "loss": "wgan-gp", "r1": 1.0}, "--loss wgan-gp with", "leave --r1"),
        ({"norm": "batch", "spectral_norm": True}, "--spectral-norm", "add --norm none"),
    ],
)
def test_settings_that_make_no_sense_together_are_refused_with_the_reason(settings, named, advice):
    with pytest.raises(UserError, match=f"^{named}.*: .*; {advice}"):
        TrainConfig.of({"preset": "dcgan", **settings})


def test_a_run_of_an_older_ganface_goes_on_as_it_began():
    stored = dataclasses.asdict(TrainConfig())
    del stored["lr_decay"], stored["init_from"]
    assert TrainConfig.stored(stored) == TrainConfig(lr_decay=0)
    assert TrainConfig.stored({**stored, "lr_decay": 7}) == TrainConfig(lr_decay=7)


def test_a_preset_gives_the_defaults_and_what_is_given_goes_before():
    config = TrainConfig.of({"preset": "dcgan", "lr_d": 1e-3, "beta1": 0.1})
    assert (config.preset, config.loss, config.norm, config.beta1) == ("dcgan", "ns", "batch", 0.1)
    assert (config.rate_D, config.rate_G) == (1e-3, 2e-4)
    assert TrainConfig.of({}) == TrainConfig()
    assert TrainConfig.of({"loss": "wgan-gp", "norm": "none"}).r1 == 0.0
    with pytest.raises(UserError, match="--lr-g 0"):
        TrainConfig(lr_g=0.0)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_of_settings_that_go_together(preset):
    assert TrainConfig.of({"preset": preset}).preset == preset


def test_images_per_step_are_those_of_all_updates_of_D():
    assert TrainConfig(batch_size=8, d_steps=3).images_per_step == 24


def test_only_settings_that_change_the_training_stand_in_the_way_of_a_resume():
    old = TrainConfig()
    assert changed_settings(old, {"steps": 1, "keep": 9, "device": "cpu", "width": 64}) == []
    assert changed_settings(old, {"batch_size": 32, "lr": 0.1, "flip": False}) == [
        "--batch-size was 64, now 32",
        "--lr was 0.0002, now 0.1",
        "--flip was True, now False",
    ]


@pytest.mark.parametrize("size", [0, 16, 63, 256])
def test_sizes_without_networks_are_refused(size):
    with pytest.raises(UserError, match=f"--size {size}"):
        check_size(size)
