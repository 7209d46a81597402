import pytest

from ganface.methods.gan_verdict import (
    D_AHEAD,
    D_TOO_FAST,
    D_WINS,
    G_TOO_FAST,
    IMAGES_ALIKE,
    OVERFITS,
    TOO_FAST,
    judge,
    relevant,
)
from ganface.methods.verdict import EARLY, HEALTHY, compare_latest

# As seen in trainings that went well
TICK = {"accuracy_real": 0.9, "accuracy_fake": 0.95, "grad_D": 30.0, "grad_G": 20.0}
FINDINGS = {
    "diversity": 0.4,
    "diversity_reals": 0.43,
    "overfitting": 0.1,
    "pace_D": 0.009,
    "pace_G": 0.009,
}
SURE = {"accuracy_real": 1.0, "accuracy_fake": 1.0}


def history(steps, **changed):
    """Lines of a healthy training up to `steps`, every one changed."""
    return [
        {"step": step, **TICK, **(FINDINGS if step % 50 == 0 else {}), **changed}
        for step in range(10, steps + 1, 10)
    ]


def findings(steps, name, value):
    """Likewise, with one of the findings a function of the step."""
    lines = history(steps)
    for line in lines:
        if name in line:
            line[name] = value(line["step"])
    return lines


def test_before_there_are_faces_nothing_is_called_healthy():
    assert judge([]) == judge(history(40)) == judge(history(490)) == EARLY
    assert judge(history(500)) == HEALTHY


@pytest.mark.parametrize(
    "changed",
    [
        {},
        SURE,  # at first D is never wrong, and still learns
        {**SURE, "grad_D": 3.0, "grad_G": 14.0},
        {"accuracy_real": 0.5, "accuracy_fake": 0.5},  # where D cannot tell, the game is even
        {"accuracy_real": 0.99, "grad_D": 0.1},
    ],
)
def test_what_healthy_trainings_show_raises_no_alarm(changed):
    assert judge(history(600, **changed)) == HEALTHY


@pytest.mark.parametrize(
    "gradients",
    [
        {"grad_D": 0.005, "grad_G": 100.0},  # non-saturating
        {"grad_D": 0.09, "grad_G": 139.0},  # hinge
        {"grad_D": 1e-5, "grad_G": 1e-5},  # saturating: nobody learns
    ],
)
def test_D_wins_if_it_is_never_wrong_and_a_gradient_is_gone(gradients):
    assert judge(history(200, **SURE, **gradients)) == D_WINS
    assert judge(history(600, accuracy_real=0.9, **gradients)) == HEALTHY
    lines = [*history(620), *history(700, **SURE, **gradients)[62:]]
    assert judge(lines) == D_WINS
    assert judge(lines[:-5]) == HEALTHY  # not yet for long
    one_slip = [*lines[:-1], {**lines[-1], "grad_D": 14.0}]
    assert judge(one_slip) == D_WINS
    assert judge([*lines, *history(800)[-10:]]) == HEALTHY


def test_D_is_ahead_if_it_has_been_right_for_hundreds_of_updates():
    right = {"accuracy_real": 0.97, "accuracy_fake": 0.98}
    lines = [*history(4000), *history(5000, **right)[400:]]
    first = next(line["step"] for n, line in enumerate(lines, 1) if judge(lines[:n]) == D_AHEAD)
    assert 4200 <= first <= 4500
    assert judge([*lines, *history(5500)[500:]]) == HEALTHY
    assert judge(history(5000, **{**right, "accuracy_real": 0.9})) == HEALTHY
    assert judge(history(900, **right)) == HEALTHY  # at first it is easy


# Medians over 250 updates of real trainings on faces: (step, accuracy_real, accuracy_fake), and
# between which steps the alarm is due
HINGE_64 = ((500, 0.891, 0.922), (1000, 0.892, 0.914), (2000, 0.884, 0.895), (3000, 0.917, 0.895))
HINGE_64 += ((3500, 0.925, 0.928), (4000, 0.939, 0.945), (4500, 0.970, 0.969), (4750, 0.984, 0.984))
RECORDED = [
    # hinge without R1 at 64 × 64, whose faces are best at 2,000 to 3,000 updates
    (HINGE_64, (3000, 6000)),
    # hinge with R1 and adaptive augmentation at 32 × 32, whose faces do not get worse
    (((1000, 0.8, 0.855), (4000, 0.881, 0.897), (8000, 0.877, 0.889), (16000, 0.869, 0.872)), None),
    # relativistic pairs at 64 × 64, which get better to the end
    (((1000, 0.73, 0.81), (5000, 0.71, 0.76), (8756, 0.73, 0.78), (50000, 0.838, 0.911)), None),
    # hinge on drawn faces
    (((1000, 0.958, 0.967), (2000, 0.927, 0.945), (3000, 0.93, 0.944), (4000, 0.923, 0.936)), None),
]


@pytest.mark.parametrize(("recorded", "due"), RECORDED)
def test_of_real_trainings_those_alone_are_warned_that_get_worse(recorded, due):
    lines, alarms = [], []
    for step, real, fake in recorded:
        for tick in range(step - 490, step + 1, 10):
            figures = {"accuracy_real": real, "accuracy_fake": fake}
            found = FINDINGS if tick % 50 == 0 else {}
            lines = relevant([*lines, {"step": tick, **TICK, **found, **figures}])
            if tick % 50 == 0 and judge(lines) not in (EARLY, HEALTHY):
                alarms.append(tick)
    assert bool(alarms) == bool(due)
    if due:
        assert due[0] < alarms[0] < due[1]


def scored(*scores):
    """Lines of a healthy training with these scores, at every 1,000th step."""
    lines = history(1000 * len(scores))
    for line in lines:
        if line["step"] % 1000 == 0:
            line["score"] = scores[line["step"] // 1000 - 1]
    return lines


def test_faces_get_worse_if_two_scores_in_a_row_are_far_from_the_best():
    verdict = judge(scored(40.0, 20.0, 27.0, 26.0))
    assert str(verdict).startswith("faces are getting worse since step 2,000: ")
    for scores in ((40.0, 20.0, 27.0), (40.0, 20.0, 27.0, 24.0), (40.0,), (40.0, 30.0, 20.0)):
        assert judge(scored(*scores)) == HEALTHY
    lines = scored(40.0, 20.0, *[27.0] * 20)
    assert judge(relevant(lines)) == verdict


def test_who_draws_by_the_latest_hears_of_a_better_one():
    assert compare_latest(scored(40.0, 20.0, 27.0)) == (
        "the latest scores 27.0, step 2,000 scored 20.0 (lower is better); --best takes that"
    )
    assert compare_latest(scored(40.0, 20.0, 24.0)) is None
    assert "step 3,000 scored 24.0" in compare_latest(scored(40.0, 20.0, 24.0, 26.0))
    assert compare_latest(history(1000)) is None


def test_steps_too_large_for_the_weights_are_named():
    assert judge(findings(50, "pace_G", lambda _: 0.1)) == G_TOO_FAST
    assert judge(findings(50, "pace_D", lambda _: 0.1)) == D_TOO_FAST
    assert judge(history(50, pace_D=0.1, pace_G=0.1)) == TOO_FAST
    assert judge(findings(50, "pace_D", lambda _: 0.03)) == EARLY


def test_images_that_show_one_thing_are_named_before_anything_else():
    lines = history(200, **SURE, grad_D=0.01)
    assert judge([{**line, "diversity_reals": 0.008} for line in lines]) == IMAGES_ALIKE


def test_faces_that_become_alike_are_told_with_the_step_since_when():
    lines = findings(12_500, "diversity", lambda step: 0.4 if step < 12_000 else 0.15)
    verdict = judge(lines)
    assert str(verdict).startswith("faces are becoming alike since step 12,000: ")
    assert judge(lines[: 12_060 // 10]) == HEALTHY  # twice is no habit
    again = findings(13_000, "diversity", lambda step: 0.15 if 12_000 <= step < 12_700 else 0.4)
    assert judge(again) == HEALTHY


def test_a_collapse_is_named_however_long_ago_it_was_and_by_what_is_relevant():
    lines = findings(40_000, "diversity", lambda step: 0.4 if step < 12_000 else 0.15)
    kept = []
    for line in lines:
        kept = relevant([*kept, line])
    assert len(kept) < len(lines) / 4
    assert judge(kept) == judge(lines)
    assert "since step 12,000" in str(judge(kept))


def test_what_is_relevant_holds_the_newest_ticks():
    lost = history(330, **SURE, grad_D=0.005, grad_G=100.0)
    lines = [{"step": 0, "verdict": "not a number"}, *history(60), *lost[6:]]
    for count in range(1, len(lines) + 1):
        assert judge(relevant(lines[:count])) == judge(lines[:count])


def test_faces_that_are_alike_at_first_become_unlike_and_raise_no_alarm():
    grows = findings(600, "diversity", lambda step: 0.43 * min(1, step / 600))
    assert {judge(grows[:count]) for count in range(5, 61)} == {EARLY, HEALTHY}
    stays = findings(700, "diversity", lambda _: 0.03)
    assert judge(stays[:49]) == EARLY
    assert "since step 500" in str(judge(stays))


def test_D_overfits_if_images_it_has_not_learned_from_are_as_strange_to_it_as_fakes():
    assert judge(findings(600, "overfitting", lambda _: 0.8)) == OVERFITS
    assert judge(findings(600, "overfitting", lambda step: 9.0 * (step >= 450))) == HEALTHY
    assert judge(findings(600, "overfitting", lambda _: None)) == HEALTHY


def test_a_D_that_hardly_prefers_real_images_does_not_overfit():
    """As on 15,000 faces of 32 × 32: overfitting is a quotient of two small differences then."""
    even = findings(600, "overfitting", lambda _: 1.5)
    for line in even:
        line |= {"accuracy_real": 0.52, "accuracy_fake": 0.55}
    assert judge(even) == HEALTHY


def test_lines_of_other_kinds_do_no_harm():
    assert judge([{"step": 5, "verdict": "not a number"}, *history(500)]) == HEALTHY
