"""What a training shows on a terminal."""

import re
from io import StringIO

import pytest
from rich.console import Console

from ganface.methods.gan import Gan
from ganface.methods.verdict import EARLY, HEALTHY
from ganface.training.display import Display

CODE = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


def shown(verdict, width=100, **environment):
    """What is written on a terminal of that width where a verdict comes up."""
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
    console = Console(file=StringIO(), force_terminal=True, width=width, _environ=terminal)
    with Display(console, 0, 100, Gan.display) as display:
        for step, text in ((10, "another"), (20, verdict)):
            line = {"step": step, **dict.fromkeys(Gan.metrics, 0.5), "verdict": text}
            display.tick({**line, "images_per_second": 1.0, "precision": "fp32"})
            display.step(step)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 100, 200])
def test_the_bar_is_as_wide_as_the_terminal(width):
    bars = [line for line in CODE.sub("", shown("bad", width)).splitlines() if "━" in line]
    assert len(bars[-1].rstrip()) in (width - 1, width)
    assert bars[-1].count("━") > width - 40


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(str(HEALTHY), "\x1b[32m"), (str(EARLY), "\x1b[2m"), ("D is winning: x", "\x1b[1;33m")],
)
def test_a_verdict_has_a_colour(verdict, code):
    text = shown(verdict)
    assert f"{code}step 20: {verdict}" in text
    assert f"{code}{verdict}" in text


def test_no_color_is_honoured():
    assert "\x1b[3" not in shown("healthy", NO_COLOR="1")
