"""`ganface watch`: the page in a browser, from the disk, while a training goes on and after it."""

import json

import pytest

from ganface.cli import watch
from ganface.io.run import LOCK, Run
from ganface.training import page as run_page

WIDTHS, SCHEMES = (1200, 390), ("light", "dark")


def opened(browser, path, **options):
    """The page, what the browser complains of, and the addresses that it asks for."""
    page = browser.new_page(**options)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    return page, said, asked


def test_a_finished_run_becomes_a_page(run_copy, invoke):
    assert invoke("watch", run_copy.path).done() == [str(run_copy.page)]
    found = json.loads(invoke("watch", run_copy.path, "--json").done()[0])
    assert found == {"page": str(run_copy.page)}


def test_what_is_no_run_is_refused(tmp_path, tiny_run, invoke):
    assert "not a run directory" in invoke("watch", tmp_path / "nothing").refused()
    assert "not a run directory" in invoke("watch", tiny_run.generator).refused()
    assert list(tmp_path.glob("*.html")) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_opens_in_a_browser_and_asks_for_nothing(run_copy, browser, invoke, width, scheme):
    invoke("watch", run_copy.path).done()
    view = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    page, said, asked = opened(browser, run_copy.page, **view)
    assert page.locator("h1").inner_text() == run_copy.path.name
    assert page.evaluate("[...document.images].map(i => i.naturalWidth > 0)") == [True, True]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".panel svg").count() >= 4
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 23, 28)"}[scheme]
    assert said == []
    assert [each for each in asked if not each.startswith("data:")] == [run_copy.page.as_uri()]
    page.close()


def test_a_copy_of_the_page_shows_all_of_it(run_copy, browser, invoke, tmp_path):
    invoke("watch", run_copy.path).done()
    alone = tmp_path / "elsewhere" / "copy.html"
    alone.parent.mkdir()
    run_copy.page.rename(alone)
    page, said, _ = opened(browser, alone)
    assert page.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    assert said == []
    page.close()


def test_the_browser_follows_a_training_and_rests_when_it_is_over(run_copy, browser, monkeypatch):
    monkeypatch.setattr(run_page, "REFRESH", 1)
    run_page.write_page(run_copy, running=True)
    page, said, _ = opened(browser, run_copy.page, viewport={"width": 390, "height": 600})
    assert page.locator(".chip").first.inner_text() == "training"
    page.locator("summary").click()
    page.wait_for_function("sessionStorage.getItem('settings') === 'open'")
    page.evaluate("scrollTo(0, 500)")
    run_page.write_page(run_copy, running=False)
    page.locator(".chip", has_text="done").wait_for(timeout=60_000)
    assert page.evaluate("scrollY") > 400  # it stays where it was read
    page.locator("details table").wait_for()  # its script is the last thing that is loaded
    assert page.locator("details table").is_visible()
    assert page.locator("meta[http-equiv]").count() == 0
    assert said == []
    page.close()


def test_a_page_that_a_killed_training_left_says_so(run_copy, browser):
    run_page.write_page(run_copy, running=True)
    text = run_copy.page.read_text("utf-8")
    written = text.partition('data-written="')[2].partition('"')[0]
    run_copy.page.write_text(text.replace(written, str(int(written) - 630)), "utf-8")
    page, said, _ = opened(browser, run_copy.page)
    assert "Nothing new for 10 minutes" in page.locator(".late").inner_text()
    assert said == []
    page.close()


def test_it_watches_until_the_training_is_over(run_copy, invoke, monkeypatch):
    monkeypatch.setattr(watch, "PAUSE", 0.01)
    looks = []

    def is_running(run):
        looks.append(run.page.exists())
        return len(looks) < 5

    monkeypatch.setattr(Run, "is_running", is_running)
    result = invoke("watch", run_copy.path)
    assert result.done() == [str(run_copy.page)]
    assert "Ctrl-C" in result.err
    assert looks == [False, True, True, True, True]
    assert "http-equiv" not in run_copy.page.read_text("utf-8")


def test_a_run_is_known_to_run_by_its_lock(run_copy):
    assert not run_copy.is_running()
    (run_copy.path / LOCK).write_text("process 1 on another\n")  # which a kill left behind
    assert not run_copy.is_running()
    with run_copy.lock():
        assert run_copy.is_running()
    assert not run_copy.is_running()
