"""The whole lecture, in seconds: what is learned in them is nothing, but all is there."""

import shlex
import signal
from dataclasses import replace

import pytest
from conftest import call, draw_folder

from ganface.io.run import Run
from ganface.lecture.trainings import PARTS
from ganface.training.display import Display

OPTIONS = ("--device", "cpu", "--minutes", 0.1)


@pytest.fixture(scope="module")
def lectured(pack_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lectures") / "lecture"
    assert call("lecture", pack_file, "--out", folder, *OPTIONS) == 0
    return folder


def test_the_page_and_all_that_it_is_made_of_are_there(lectured):
    text = (lectured / "index.html").read_text("utf-8")
    assert text.count("<section ") == 6
    assert text.count("data:image/png") > 15
    for part in PARTS:
        run = Run(lectured / "runs" / part.name)
        assert run.generator.is_file()
        assert list(run.checkpoints())
    assert len(list((lectured / "pictures").glob("*.png"))) > 10


def test_what_is_trained_is_kept(lectured, pack_file, invoke):
    before = {
        part.name: (lectured / "runs" / part.name / "stats.jsonl").read_bytes() for part in PARTS
    }
    with open(lectured / "runs" / "gan" / "stats.jsonl", "ab") as file:  # as of a recovered run
        line = b'{"step": 1, "verdict": "not a number: went back"}\n'
        file.write(line)
    before["gan"] += line
    (lectured / "index.html").unlink()
    result = invoke("lecture", pack_file, "--out", lectured, *OPTIONS, "--resume")
    assert result.done() == [str(lectured / "index.html")]
    assert "Training" not in result.err
    assert (lectured / "index.html").is_file()
    for part in PARTS:
        assert (lectured / "runs" / part.name / "stats.jsonl").read_bytes() == before[part.name]


def test_a_lecture_that_is_stopped_goes_on(tmp_path, faces, invoke, monkeypatch):
    # The second is still at work when it is stopped, however slow the machine is
    trainings = [replace(PARTS[0], share=0.1), replace(PARTS[5], share=0.9)]
    monkeypatch.setattr("ganface.lecture.trainings.PARTS", trainings)
    monkeypatch.setattr("ganface.lecture.build.SECTIONS", ())
    step = Display.step

    def stop(display, number):
        step(display, number)
        if number == 1 and (tmp_path / "lecture" / "runs" / "vae" / "config.json").exists():
            signal.raise_signal(signal.SIGTERM)

    command = ("lecture", faces, "--out", tmp_path / "lecture", *OPTIONS, "--crop", "none")
    with monkeypatch.context() as patch:
        patch.setattr(Display, "step", stop)
        stopped = invoke(*command)
    assert stopped.code == 143
    told = stopped.err.splitlines()[-1].partition("To go on: ganface ")[2]
    again = invoke(*shlex.split(told))
    again.done()
    assert "Training 1 of 2" not in again.err
    assert "vae: going on from step 1" in again.err


def test_bad_requests_are_refused(tmp_path, pack_file, lectured, invoke):
    out = ("--out", tmp_path / "new")
    assert "no such file" in invoke("lecture", tmp_path / "none", *out).refused()
    assert "exists already" in invoke("lecture", pack_file, "--out", lectured).refused()
    assert "--size 48" in invoke("lecture", pack_file, *out, "--size", 48).refused()
    assert "holds no lecture yet" in invoke("lecture", pack_file, *out, "--resume").refused()
    other = tmp_path / "other.safetensors"
    invoke(
        "dataset", "build", draw_folder(tmp_path / "other", range(80)), other, "--size", 32
    ).done()
    command = ("lecture", other, "--out", lectured, "--resume", *OPTIONS)
    assert "not the images that" in invoke(*command).refused()


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_opens_in_a_browser_and_asks_for_nothing(lectured, browser, width, language):
    page = browser.new_page(viewport={"width": width, "height": 800}, locale="en-US")
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    address = (lectured / "index.html").as_uri()
    page.goto(address)
    assert page.locator("h1 >> visible=true").inner_text() == "GANs, on your own faces"
    page.locator(f"button[data-to={language}]").click()
    other = {"en": "zh", "zh": "en"}[language]
    assert page.locator(f"span[lang={other}] >> visible=true").count() == 0
    assert page.locator(f"span[lang={language}] >> visible=true").count() > 50
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    assert [each for each in asked if not each.startswith("data:")] == [address]
    page.close()


def test_in_a_chinese_browser_it_is_chinese(lectured, browser):
    page = browser.new_page(locale="zh-CN")
    page.goto((lectured / "index.html").as_uri())
    assert page.locator("h1").inner_text() == "GAN，用你自己的人脸来讲"
    page.close()
