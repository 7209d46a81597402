import dataclasses

import pytest
import torch
from conftest import changed, train_config

from ganface.config.architecture import check_size
from ganface.config.dataset import BuildConfig
from ganface.config.schedule import ScheduleConfig
from ganface.config.settings import changed_settings, flag_of, parse_integers
from ganface.errors import UserError
from ganface.system.device import Compute
from ganface.training.config import ALL_GROUPS, PRESETS, TrainConfig
from ganface.training.start import create


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
    [",", "1,", "a", "1-", "-1", "1--2", "1-2-3", "1.5", "5-1", "²", str(2**63), "0-1000000"],
)
def test_bad_integers_are_refused_by_flag_and_text(text):
    with pytest.raises(UserError) as error:
        parse_integers("--seeds", text)
    assert str(error.value).startswith(f"--seeds {text}: ")


def test_no_integers_at_all_are_refused_visibly():
    with pytest.raises(UserError, match="--seeds '': write numbers"):
        parse_integers("--seeds", "")


def test_integers_below_the_lowest_are_refused():
    assert parse_integers("--milestones", "1", low=1) == (1,)
    with pytest.raises(UserError, match="--milestones 0-5: 0-5 is not between 1 and"):
        parse_integers("--milestones", "0-5", low=1)


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        (BuildConfig, "size", 7),
        (BuildConfig, "size", 1025),
        (BuildConfig, "background", "notacolour"),
        (BuildConfig, "max_bad", 101),
        (BuildConfig, "max_bad", float("nan")),
        (train_config, "steps", 0),
        (train_config, "batch_size", 1),
        (train_config, "width", 0),
        (train_config, "lr", 0.0),
        (train_config, "lr", float("nan")),
        (train_config, "lr", float("inf")),
        (train_config, "beta1", 1.0),
        (train_config, "ema_decay", 1.0),
        (train_config, "seed", -1),
        (train_config, "seeds", "5-1"),
        (train_config, "milestones", "0,100"),
        (train_config, "checkpoint_every", 0),
        (train_config, "keep", 0),
    ],
)
def test_each_setting_is_checked_and_named_as_its_flag(settings, name, value):
    with pytest.raises(UserError, match=f"^{flag_of(name)} "):
        settings(**{name: value})


@pytest.mark.parametrize("colour", ["white", "#fed", "#ffeedd", "rgb(1,2,3)"])
def test_colours_are_names_and_codes(colour):
    assert BuildConfig(background=colour).background == colour


def test_every_setting_has_a_help_text_that_ends_as_a_sentence():
    for settings in (BuildConfig, *ALL_GROUPS):
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
    assert ScheduleConfig(steps=steps, milestones=milestones).milestone_steps == reached


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


CONFIG = train_config(upsample="transposed", modulate=False)


def test_a_run_of_an_older_ganface_goes_on_as_it_began():
    stored = CONFIG.flat()
    for name in ("lr_decay", "init_from", "method", "upsample", "modulate"):
        del stored[name]
    assert TrainConfig.stored(stored) == changed(CONFIG, lr_decay=0)
    assert TrainConfig.stored({**stored, "lr_decay": 7}) == changed(CONFIG, lr_decay=7)


def test_a_preset_gives_the_defaults_and_what_is_given_goes_before():
    config = TrainConfig.of({"preset": "dcgan", "lr_d": 1e-3, "beta1": 0.1})
    assert (config.recipe.preset, config.method.loss) == ("dcgan", "ns")
    assert (config.architecture.norm, config.optimizer.beta1) == ("batch", 0.1)
    method, _ = create(config, 32, Compute(torch.device("cpu"), "fp32"))
    assert method.rates() == {"D": 1e-3, "G": 2e-4}
    assert TrainConfig.of({}) == train_config()
    with pytest.raises(UserError, match="--lr-g 0"):
        train_config(lr_g=0.0)


@pytest.mark.parametrize(
    ("given", "loss", "norm", "penalties", "betas"),
    [
        ({}, "rpgan", "none", (0.15, 0.15), (0.0, 0.99)),
        ({"loss": "ns"}, "ns", "batch", (0.2, 0.0), (0.5, 0.999)),
        ({"norm": "batch"}, "hinge", "batch", (0.2, 0.0), (0.5, 0.999)),
        ({"loss": "rpgan", "norm": "batch", "r1": 1}, "rpgan", "batch", (1, 0.15), (0.0, 0.99)),
        ({"loss": "wgan-gp"}, "wgan-gp", "none", (0.0, 0.0), (0.5, 0.999)),
    ],
)
def test_a_loss_brings_the_other_settings_that_suit_it(given, loss, norm, penalties, betas):
    config = train_config(**given)
    assert (config.method.loss, config.architecture.norm) == (loss, norm)
    assert (config.method.r1, config.method.r2) == penalties
    assert (config.optimizer.beta1, config.optimizer.beta2) == betas


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_of_settings_that_go_together(preset):
    assert TrainConfig.of({"preset": preset}).recipe.preset == preset


@pytest.mark.parametrize(
    ("every", "step", "seconds", "due"),
    [
        (None, 500, 10.0, True),
        (None, 500, 9.9, False),  # a fast GPU would write all the time
        (None, 501, 99.0, False),
        (7, 14, 0.0, True),  # asked for
        (7, 500, 99.0, False),
    ],
)
def test_checkpoints_are_due_by_steps_and_unless_asked_for_by_time(every, step, seconds, due):
    schedule = ScheduleConfig(checkpoint_every=every)
    assert schedule.checkpoint_due(step, seconds) == due


def test_images_per_step_are_those_of_all_updates_of_D():
    assert train_config(batch_size=8, d_steps=3).images_per_step == 24


def test_only_settings_that_change_the_training_stand_in_the_way_of_a_resume():
    old = train_config().groups
    assert changed_settings(old, {"steps": 1, "keep": 9, "device": "cpu", "width": 64}) == []
    assert changed_settings(old, {"batch_size": 32, "lr": 0.1, "flip": False}) == [
        "--flip was True, now False",
        "--batch-size was 64, now 32",
        "--lr was 0.0002, now 0.1",
    ]


@pytest.mark.parametrize("size", [0, 16, 63, 512])
def test_sizes_without_networks_are_refused(size):
    with pytest.raises(UserError, match=f"--size {size}"):
        check_size(size)


def test_a_flag_of_another_method_is_refused_and_an_unknown_one_named():
    with pytest.raises(UserError, match="unknown setting diffusion"):
        TrainConfig.stored({"diffusion": True})


def test_no_name_is_in_two_groups():
    names = [name for group in ALL_GROUPS for name in group.flags() if "Method" not in group.TITLE]
    assert len(names) == len(set(names))
