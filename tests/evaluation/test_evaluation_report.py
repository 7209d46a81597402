"""The table of many steps: a row for each, never wider than a terminal."""

import pytest

from ganface.evaluation.report import SHARES, TITLES, WIDE, format_figure, steps_table

FIGURES = dict.fromkeys([*TITLES, "swd_32", "accuracy_hair_colour", "accuracy_eyes"], 0.5)


def test_a_step_is_a_row_and_none_is_wider_than_a_terminal():
    steps = {f"step {step:,}": FIGURES for step in (100, 50_000)}
    lines = steps_table("50,000 images", steps, {"frechet": 1.0}).splitlines()
    assert max(map(len, lines)) <= WIDE
    heads = [line for line in lines if line.startswith("50,000 images")]
    assert len(heads) > 1  # so many figures do not fit beside each other
    assert [sum(line.startswith(s) for line in lines) for s in steps] == [len(heads)] * 2
    assert not any("32 × 32" in line or "swd_32" in line for line in lines)


def test_what_every_run_has_is_one_table():
    plain = ("frechet", "swd", "density", "coverage", "diversity", "sharpness", "memorised")
    steps = {f"step {step:,}": dict.fromkeys(plain, 123.4) for step in (100, 50_000)}
    table = steps_table("15,000 images", steps, dict.fromkeys(plain, 0.5))
    assert table.count("15,000 images") == 1
    assert "Fréchet: Fréchet distance, random features" in table
    rows = [line.split() for line in table.splitlines()]
    assert rows[0][2:] == [
        "Fréchet",
        "SWD",
        "density",
        "coverage",
        "diversity",
        "sharpness",
        "near",
    ]


@pytest.mark.parametrize("name", [*SHARES, "accuracy_hair"])
def test_shares_are_read_in_per_cent(name):
    assert format_figure(name, 0.625) == "62.5 %"
