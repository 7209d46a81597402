"""The page of a training: what it says of how far that is, whatever the run directory holds."""

import json
import re
from itertools import pairwise

import pytest
from conftest import TINY_STEPS

from ganface.io.run import Run
from ganface.training import page
from ganface.training.page import RunPage, write_page


def lines(run, *rows):
    run.stats.write_text("".join(json.dumps(row) + "\n" for row in rows))


def line(step, seconds, verdict="healthy", **more):
    return {"step": step, "seconds": seconds, "loss_D": 0.5, "verdict": verdict, **more}


def facts(run, running=True):
    write_page(run, running)
    text = run.page.read_text("utf-8")
    return re.findall(r"<li>([^<]*)</li>", re.search(r'class="facts">(.*?)</ul>', text)[1])


def chips(run):
    return re.findall(r'<b class="chip ?(\w*)">([^<]*)</b>', run.page.read_text("utf-8"))


def test_a_finished_run_is_done_and_its_page_stays_as_it_is(run_copy):
    assert facts(run_copy, running=False)[0] == f"{TINY_STEPS} of {TINY_STEPS} updates"
    text = run_copy.page.read_text("utf-8")
    assert chips(run_copy) == [("", "done"), ("open", "too early to tell")]
    assert "http-equiv" not in text
    assert text.count("data:image/png") == 2
    assert '<progress max="1" value="1.0000">' in text


def test_while_it_trains_the_page_loads_itself_again(run_copy):
    write_page(run_copy, running=True)
    assert f'<meta http-equiv="refresh" content="{page.REFRESH}">' in run_copy.page.read_text()
    assert chips(run_copy)[0] == ("", "training")


def test_time_left_is_at_the_pace_of_the_newest_lines(run_copy):
    rows = [line(step, step * 100) for step in (1, 2)]
    rows += [line(step, 200 + step) for step in range(3, 3 + page.RECENT)]
    lines(run_copy, *rows)
    config = json.loads(run_copy.config.read_text())
    steps = rows[-1]["step"] + 3600
    assert config["train"]["steps"] < steps
    change_settings(run_copy, steps=steps)
    assert "about 1:00:00 left" in facts(run_copy)
    change_settings(run_copy, steps=steps, minutes=(rows[-1]["seconds"] + 60) / 60)
    assert "about 0:01:00 left" in facts(run_copy)
    assert not any("left" in fact for fact in facts(run_copy, running=False))


def change_settings(run, **changes):
    from ganface.io.run import read_config, write_config

    config = read_config(run)
    write_config(run, {**config, "train": {**config["train"], **changes}})


@pytest.mark.parametrize(
    ("verdict", "tone", "kind", "advice"),
    [
        ("healthy", "good", "healthy", ""),
        ("D is <b>winning</b>: lower --lr-d", "bad", "D is &lt;b&gt;winning&lt;/b&gt;", "lower"),
    ],
)
def test_a_verdict_has_a_colour_and_its_advice(run_copy, verdict, tone, kind, advice):
    lines(run_copy, line(5, 1.0, verdict))
    write_page(run_copy, running=False)
    assert chips(run_copy) == [("", "stopped"), (tone, kind)]
    assert advice in run_copy.page.read_text()


def test_names_are_no_markup(run_copy, tmp_path):
    run = Run(run_copy.path.rename(tmp_path / '<img src="x">&'))
    change_settings(run, seeds="<script>")
    write_page(run, running=False)
    text = run.page.read_text("utf-8")
    assert '<img src="x">' not in text
    assert text.count("<script>") == 1  # its own
    assert "&lt;img src=&quot;x&quot;&gt;&amp;" in text


def test_what_is_not_there_is_said(tmp_path):
    run = Run(tmp_path / "new")
    write_page(run, running=True)
    text = run.page.read_text("utf-8")
    for missing in (page.NO_LINES, page.NO_PICTURE, page.NO_TIMELINE):
        assert missing in text
    assert "<img" not in text


def test_a_damaged_run_has_a_page_too(run_copy):
    run_copy.latest.write_bytes(b"no picture")
    run_copy.stats.write_text('{"step": 3}\n{"step": "x"}\n{"st')
    for path in run_copy.checkpoints().values():
        path.unlink()
    run_copy.config.write_text("[]")
    write_page(run_copy, running=False)
    text = run_copy.page.read_text("utf-8")
    assert page.NO_PICTURE in text
    assert "0 updates" in text
    assert "<progress" not in text


def test_it_is_written_now_and_then_alone(run_copy, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(page.time, "monotonic", lambda: now[0])
    written = []

    def write(_, running):
        written.append((now[0], running))
        now[0] += cost

    monkeypatch.setattr(page, "write_page", write)
    cost = 0.001
    kept = RunPage(run_copy)
    for _ in range(100):
        now[0] += 1
        kept.tick({})
    times = [time for time, _ in written]
    assert min(b - a for a, b in pairwise(times)) >= page.REFRESH
    assert len(times) > 10
    cost = 0.5  # a long training's
    written.clear()
    for _ in range(1000):
        now[0] += 1
        kept.tick({})
    assert 0 < cost * len(written) <= 1000 * page.SHARE + cost
    kept.close()
    assert written[-1][1] is False
