import json

import pytest
from paired import Row, Target, as_table, figure, in_turns
from rich.console import Console

FASTER = Target(3, 4.5)
SLOWER = Target(0.6, 0.35, at_most=True)


def test_a_ratio_is_taken_within_each_pair():
    row = Row("training", "images/s", [10, 30, 80], [10, 10, 20], FASTER)
    assert row.ratios == [1, 3, 4]
    assert Row("training", "images/s", [10, 30, 80], [10, 60, 20]).ratios == [1, 0.5, 4]


@pytest.mark.parametrize(
    ("target", "value", "verdict"),
    [
        (FASTER, 2.99, "missed"),
        (FASTER, 3, "must"),
        (FASTER, 4.49, "must"),
        (FASTER, 4.5, "aim"),
        (SLOWER, 0.61, "missed"),
        (SLOWER, 0.6, "must"),
        (SLOWER, 0.36, "must"),
        (SLOWER, 0.35, "aim"),
    ],
)
def test_a_target_is_met_at_its_bound(target, value, verdict):
    assert target.verdict(value) == verdict


def test_the_median_ratio_is_judged():
    assert Row("", "", [2, 5, 9], [1, 1, 1], FASTER).verdict == "aim"
    assert Row("", "", [2, 2, 9], [1, 1, 1], FASTER).verdict == "missed"


def test_without_a_reference_the_figure_itself_is_judged():
    assert Row("", "s", [100], target=Target(120, 60, at_most=True)).verdict == "must"


@pytest.mark.parametrize("row", [Row("", "", target=FASTER), Row("", "", [1], [1])])
def test_what_was_not_measured_or_has_no_target_gets_no_verdict(row):
    assert row.verdict == ""


def test_pairs_that_do_not_match_are_an_error():
    with pytest.raises(ValueError, match="shorter"):
        _ = Row("", "", [1, 2], [1]).ratios


def test_measurements_take_turns():
    calls = []
    ours, theirs = in_turns(
        2, lambda: calls.append("a") or len(calls), lambda: calls.append("b") or len(calls)
    )
    assert calls == ["a", "b", "a", "b"]
    assert (ours, theirs) == ([1, 3], [2, 4])


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345.6, "12,346"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.1234, "0.123")],
)
def test_figures_have_three_digits(value, text):
    assert figure(value) == text


def test_the_table_shows_medians_spreads_and_targets(capsys):
    rows = [
        Row("training", "images/s", [120, 130, 150], [50, 40, 50], FASTER),
        Row("on a GPU", "images/s", target=FASTER, note="no GPU"),
    ]
    Console(width=100).print(as_table(rows, "below it"))
    out = capsys.readouterr().out
    for text in ("130", "120–150", "40.0–50.0", "3.00", "2.40–3.25", "≥ 3", "must", "below it"):
        assert text in out


def test_json_holds_every_figure():
    row = Row("start", "s", [30.0, 10.0], [40.0, 40.0], SLOWER, "cold")
    assert json.loads(json.dumps(row.as_json())) == {
        "name": "start",
        "unit": "s",
        "ganface": {"median": 20, "min": 10, "max": 30, "all": [30, 10]},
        "reference": {"median": 40, "min": 40, "max": 40, "all": [40, 40]},
        "ratio": {"median": 0.5, "min": 0.25, "max": 0.75, "all": [0.75, 0.25]},
        "target": {"must": 0.6, "aim": 0.35, "at_most": True},
        "verdict": "must",
        "pairs": 2,
        "note": "cold",
    }
