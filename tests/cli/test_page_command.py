"""`ganface page`, and every control of what it makes."""

import functools
import http.server
import json
import threading
from base64 import b64decode
from io import BytesIO

import pytest
from conftest import TINY_STEPS, call
from pictures_made import pixels_of
from PIL import Image

FILES = {"index.html", "ganface.js", "model.js"}


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def folder(tiny_run, tmp_path_factory):
    """The page of the tiny run, with directions."""
    folder = tmp_path_factory.mktemp("pages")
    found = folder / "found.safetensors"
    assert call("directions", tiny_run.path, "--count", 2, "--out", found) == 0
    assert call("page", tiny_run.path, folder / "page", "--directions", found) == 0
    return folder / "page"


@pytest.fixture(scope="module", params=["from the disk", "over http"])
def address(request, folder):
    if request.param == "from the disk":
        yield (folder / "index.html").as_uri()
        return
    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


@pytest.fixture
def page(address, browser):
    """The page, opened; in the end nothing must have been said to its console, and nothing asked
    for beside its own files."""
    context = browser.new_context(locale="en-US", viewport={"width": 1200, "height": 800})
    opened, said, asked = context.new_page(), [], []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(address)
    drawn(opened)
    yield opened
    context.close()
    assert said == []
    own = {address.rpartition("/")[0] + "/" + name for name in FILES}
    assert {each.partition("#")[0] for each in asked if not each.startswith("blob:")} <= own


def drawn(page):
    """Wait until the grid is as the sliders say."""
    page.wait_for_function("Number(document.getElementById('grid').dataset.drawn) === round")


def pixels(page, selector):
    picture = page.evaluate("s => document.querySelector(s).toDataURL()", selector)
    with Image.open(BytesIO(b64decode(picture.partition(",")[2]))) as image:
        return image.convert("RGB").tobytes()


def state(page):
    return page.evaluate("({...state})")


def test_it_holds_what_sample_draws(page, tiny_run):
    assert page.title() == "tiny"
    assert page.locator("#model").inner_text() == f"after {TINY_STEPS} updates"
    assert page.locator("#grid button").count() == 24
    assert page.locator("#name").inner_text() == "seed 0"
    call("sample", tiny_run.path, "--images", "--scale", 1, "--seeds", "0", "--out", "zero")
    expected = pixels_of("zero/seed-000000.png")
    shown = pixels(page, "#large")
    assert max(abs(a - b) for a, b in zip(shown, expected, strict=True)) <= 1


def test_a_click_holds_a_face(page):
    before = pixels(page, "#large")
    page.locator("#grid button").nth(5).click()
    assert page.locator("#name").inner_text() == "seed 5"
    assert pixels(page, "#large") == pixels(page, "[data-face='5'] canvas") != before
    assert page.locator("#grid [aria-pressed=true]").count() == 1


@pytest.mark.parametrize("way", ["button", "key"])
def test_new_faces_are_others(page, way):
    if way == "key":
        page.keyboard.press("n")
    else:
        page.locator("#new").click()
    drawn(page)
    first = page.locator("#seeds").input_value()
    assert first != "0-23"
    assert page.locator("#grid button").count() == 24


def test_seeds_are_written_as_on_the_command_line(page):
    page.locator("#seeds").fill("3,7-9, 12345678901")
    page.keyboard.press("Enter")
    drawn(page)
    faces = page.evaluate("[...cells.keys()]")
    assert faces == ["3", "7", "8", "9", "12345678901"]
    for wrong in ("", "x", "9-7", "0-400", "1~", "0-99999999999999999999", "$& {}"):
        page.locator("#seeds").fill(wrong)
        page.keyboard.press("Enter")
        said = f"{wrong}: write seeds such as 0-23,99, up to 400 faces."
        assert page.locator("#said").inner_text() == said
    assert page.evaluate("[...cells.keys()]") == faces


def test_mutations_are_of_the_face_that_is_held(page):
    page.locator("#grid button").nth(2).click()
    page.keyboard.press("m")
    drawn(page)
    faces = page.evaluate("[...cells.keys()]")
    assert faces[0] == "2"
    assert len(faces) == 24
    assert all(face.startswith("2~") for face in faces[1:])
    page.locator("#grid button").nth(1).click()
    page.locator("#mutate").click()
    drawn(page)
    assert page.evaluate("[...cells.keys()][5]").startswith(faces[1] + "~")
    page.locator("#seeds").fill("7")
    page.keyboard.press("Enter")
    page.locator("#mutate").click()
    assert page.evaluate("[...cells.keys()]")[1].startswith("7~")


def test_a_walk_goes_from_one_face_to_the_other(page):
    page.locator("#grid button").nth(1).click()
    page.keyboard.press("w")
    assert page.locator("#said").inner_text() == "Click the face to walk to."
    page.locator("#grid button").nth(4).click()
    page.wait_for_function("state.way > 0.2")  # it plays at once
    assert page.locator("#play").get_attribute("aria-pressed") == "true"
    page.locator("#play").click()
    assert page.evaluate("playing") == 0
    page.locator("#way").fill("1")
    drawn(page)
    assert page.locator("#name").inner_text() == "from seed 1 to seed 4, 100 %"
    assert pixels(page, "#large") == pixels(page, "#to") == pixels(page, "[data-face='4'] canvas")
    page.locator("#way").fill("0.5")
    assert pixels(page, "#large") not in (pixels(page, "#from"), pixels(page, "#to"))
    page.keyboard.press("Escape")
    assert not page.locator("#walk").is_visible()
    assert pixels(page, "#large") == pixels(page, "[data-face='1'] canvas")


def test_a_double_click_chooses_where_to_walk_once(page):
    page.locator("#walking").click()
    page.locator("#grid button").nth(4).dblclick()
    assert (state(page)["hold"], state(page)["to"]) == ("0", "4")


def test_a_walk_ends_where_another_address_is_opened(page):
    page.locator("#walking").click()
    page.locator("#grid button").nth(4).click()
    page.evaluate("location.hash = 'seeds=0-5&hold=3'")
    page.wait_for_function("state.hold === '3'")
    assert page.evaluate("playing") == 0
    assert pixels(page, "#large") == pixels(page, "[data-face='3'] canvas")


def test_sliders_move_all_faces_and_reset_puts_them_back(page):
    before = pixels(page, "#large"), pixels(page, "[data-face='9'] canvas")
    names = page.evaluate("[...model.directions, 'truncation']")
    assert len(names) > 4
    for name in names:
        page.locator(f"[data-name='{name}']").fill("1.5" if name == "truncation" else "3")
        drawn(page)
        assert pixels(page, "#large") != before[0], name
        assert pixels(page, "[data-face='9'] canvas") != before[1], name
        page.locator("#reset").click()
        drawn(page)
        assert (pixels(page, "#large"), pixels(page, "[data-face='9'] canvas")) == before


def test_a_link_leads_to_the_same_faces(page, browser):
    name = page.evaluate("model.directions[0]")
    page.locator("#seeds").fill("5-9,7~3")
    page.keyboard.press("Enter")
    page.locator(f"[data-name='{name}']").fill("-2.5")
    page.locator("#grid button").nth(5).click()
    page.keyboard.press("w")
    page.locator("#grid button").nth(2).click()
    page.locator("#way").fill("0.25")
    page.locator("#link").click()
    page.wait_for_function("document.querySelector('#said').textContent")  # copied, or not
    assert page.locator("#said").inner_text() == "Link copied."
    drawn(page)
    other = browser.new_page()
    other.goto(page.url)
    drawn(other)
    assert state(other) == state(page)
    assert state(other)["moves"] == {name: -2.5}
    assert pixels(other, "#large") == pixels(page, "#large")
    other.close()


def test_any_address_opens_a_page(page):
    for wrong in ("seeds=x&hold=9-3&way=z&truncation=&move.nothing=4", "%%%", "to=99&hold=1~2"):
        page.goto(f"{page.url.partition('#')[0]}#{wrong}")
        drawn(page)
        assert page.locator("#grid button").count() == 24
        assert state(page)["truncation"] == 1


@pytest.mark.parametrize(("id", "key", "size"), [("face", "s", 512), ("sheet", "g", None)])
def test_pictures_are_saved(page, id, key, size):
    for act in (lambda: page.locator(f"#{id}").click(), lambda: page.keyboard.press(key)):
        with page.expect_download() as download:
            act()
        assert download.value.suggested_filename.endswith(".png")
        with Image.open(BytesIO(download.value.path().read_bytes())) as picture:
            assert picture.size == ((size, size) if size else (664, 664))
            assert len(picture.convert("RGB").getcolors(10**6)) > 20


def test_a_grid_is_saved_once_it_is_drawn(page):
    with page.expect_download() as download:
        page.evaluate("setSeeds('100-295'); saveGrid()")
    with Image.open(download.value.path()) as picture:
        last = picture.crop((13 * 132 + 4, 13 * 132 + 4, 14 * 132, 14 * 132)).convert("RGB")
    assert len(last.getcolors(10**6)) > 20


def test_the_keyboard_reaches_every_face(page):
    page.keyboard.press("ArrowRight")
    focused = "document.activeElement.dataset.face"
    assert page.evaluate(focused) == "0"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "1"
    page.keyboard.press("ArrowDown")
    below = int(page.evaluate(focused))
    assert below > 1
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused) == "1"
    page.keyboard.press("Enter")
    assert state(page)["hold"] == "1"


def test_both_languages_say_all(page):
    page.locator("button[data-to=zh]").click()
    assert page.locator("#name").inner_text() == "种子 0"
    assert page.locator("#model").inner_text() == f"训练 {TINY_STEPS} 步"
    assert page.locator("span[lang=en] >> visible=true").count() == 0
    latin = page.evaluate(
        "[...document.querySelectorAll('#sliders label')].map(l => l.textContent).join(' ')"
    )
    assert not any(c.isascii() and c.isalpha() for c in latin), latin  # ψ is no ASCII
    page.locator("button[data-to=en]").click()
    assert page.locator("span[lang=zh] >> visible=true").count() == 0
    assert page.locator("#name").inner_text() == "seed 0"


@pytest.mark.parametrize("width", [320, 800, 1600])
def test_nothing_is_wider_than_the_screen(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for size in ("44", "220"):
        page.locator("#size").fill(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_is_written_whole_and_never_over_another(tiny_run, folder, invoke, home):
    assert {path.name for path in folder.iterdir()} == FILES
    (line,) = invoke("page", tiny_run.path, "--step", 4, "--name", "<b>x", "--json").done()
    made = json.loads(line)
    assert (made["page"], made["step"]) == ("tiny-page/index.html", 4)
    assert "<b>" not in (home / "tiny-page" / "index.html").read_text("utf-8")
    assert "exists already" in invoke("page", tiny_run.path, "tiny-page").refused()


def test_what_cannot_be_put_on_a_page_is_refused(tiny_run, made, invoke):
    assert "snapshot" in invoke("page", made["pack"]).refused()
    found = invoke("directions", tiny_run.path, "--step", 4, "--count", 1, "--json").done()
    file = json.loads(found[0])["out"]
    refusal = invoke("page", tiny_run.path, "--directions", file).refused()
    assert "another snapshot" in refusal
