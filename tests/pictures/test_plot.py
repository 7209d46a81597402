import json

import pytest

from ganface.methods.gan import Gan
from ganface.pictures.panels import Span
from ganface.pictures.plot import draw_plot, spans_of
from ganface.pictures.png import read_png_meta


def test_a_run_becomes_a_picture(tiny_run, invoke, home):
    assert invoke("plot", tiny_run.path).done() == ["tiny-plot.png"]
    meta = read_png_meta(home / "tiny-plot.png")
    assert meta == {"kind": "plot", "step": 12}
    assert invoke("plot", tiny_run.path).done() == ["tiny-plot-2.png"]
    result = json.loads(invoke("plot", tiny_run.path, "--json").done()[0])
    assert result == {"out": "tiny-plot-3.png", "step": 12, "verdict": "too early to tell"}


def test_what_cannot_be_drawn_is_refused(tmp_path, tiny_run, invoke):
    assert "not a run directory" in invoke("plot", tmp_path / "nothing").refused()
    (tmp_path / "stats.jsonl").write_text("")
    assert "no statistics yet" in invoke("plot", tmp_path).refused()
    assert ".png" in invoke("plot", tiny_run.path, "--out", "plot.gif").refused()
    assert "exists already" in invoke("plot", tiny_run.path, "--out", tiny_run.latest).refused()


@pytest.mark.parametrize("missing", ["loss_D", "diversity", "verdict"])
def test_a_figure_that_is_there_makes_the_picture_higher(missing):
    line = {"loss_D": 1.0, "diversity": 0.3, "verdict": "D is winning: do something"}
    without = {key: value for key, value in line.items() if key != missing}
    heights = [
        draw_plot([{"step": step, **values} for step in (10, 20)], Gan.panels).height
        for values in (line, without)
    ]
    assert heights[0] > heights[1]


def test_spans_are_verdicts_without_their_advice_up_to_the_next_one():
    assert spans_of([{"step": 5}]) == []
    lines = [{"step": 5}, {"step": 7, "verdict": None}]
    for step, verdict in (
        (10, "healthy"),
        (20, "healthy"),
        (30, "D is winning: x"),
        (40, "healthy"),
    ):
        lines.append({"step": step, "verdict": verdict})
    assert spans_of(lines) == [
        Span("healthy", 10, 30, "good"),
        Span("D is winning", 30, 40, "bad"),
        Span("healthy", 40, 40, "good"),
    ]
