import json

import pytest

from ganface.io.stats import StatsFile, read_lines


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("tail", "step", "kept"),
    [
        ("", 0, []),
        ("", 10, [10]),
        ("", 15, [10]),
        ("", 30, [10, 20]),
        ('{"step": 30, "los', 30, [10, 20]),
        ("\n\n[]\n{}\n", 30, [10, 20]),
    ],
)
def test_lines_past_the_checkpoint_and_half_lines_are_cut(tmp_path, tail, step, kept):
    path = tmp_path / "stats.jsonl"
    path.write_text('{"step": 10}\n{"step": 20}\n' + tail)
    stats = StatsFile(path, step)
    assert [line["step"] for line in lines(path)] == kept
    stats.write({"step": 99})
    assert [line["step"] for line in lines(path)] == [*kept, 99]


def test_half_lines_and_lines_that_are_none_are_left_out(tmp_path):
    path = tmp_path / "stats.jsonl"
    path.write_text(
        '{"step": 10, "loss_D": 1}\n[]\n{"step": "x"}\n{"step": null}\n'
        '{"step": 20, "score": null}\n{"step": 30, "loss_D": "1"}\n'
        '{"step": 30, "loss_D": NaN}\n{"step": 30, "verdict": 1}\n{"st'
    )
    assert read_lines(path) == [{"step": 10, "loss_D": 1}, {"step": 20, "score": None}]
