import re

import pytest
from PIL import Image

from ganface.lecture.page import Block, Picture, Section, Table, Text, write_page
from ganface.pictures.png import save_png

HELLO = Text("A < B & C", "甲 < 乙")


@pytest.fixture
def made(tmp_path):
    """A page with one of each, as text."""
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    save_png(small, Image.new("RGB", (64, 32), "red"), {"kind": "lecture"})
    save_png(large, Image.new("RGB", (900, 300), "blue"), {"kind": "lecture"})
    shown = [
        Picture(small, Text("small", "小")),
        Picture(large, Text("large", "大"), chart=True),
        Table(Text("names", "名称"), [Text("one", "一")], [(Text("row", "行"), ["0.5 <"])]),
    ]
    block = Block(HELLO, shown, Text("found", "发现"), "ganface train my-faces")
    sections = [Section(Text("First", "第一"), Text("Why?", "为什么？"), [block])] * 2
    path = tmp_path / "page" / "index.html"
    write_page(path, Text("Title", "标题"), [HELLO], sections, Text("end", "完"))
    return path.read_text("utf-8")


def test_all_is_said_in_both_languages(made):
    english, chinese = (re.findall(rf'<span lang="{code}">', made) for code in ("en", "zh"))
    assert len(english) == len(chinese) > 10
    for text in ("标题", "第一", "为什么？", "发现", "小", "名称", "行", "完"):
        assert f'<span lang="zh">{text}</span>' in made


def test_texts_are_no_markup(made):
    assert "A &lt; B &amp; C" in made
    assert "0.5 &lt;" in made
    assert "A < B" not in made


def test_pictures_are_inside_and_nothing_is_outside(made):
    assert made.count("data:image/png;base64,") == 4
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!data:|#s\d)""", made)
    assert "http" not in made
    assert "url(" not in made


def test_small_pictures_are_enlarged_by_whole_numbers_and_charts_are_not_shrunk(made):
    assert 'width="640" height="320"' in made
    assert re.search(r'<figure class="chart"><img [^>]* width="900" height="300"', made)


def test_sections_are_numbered_and_linked(made):
    for number in (1, 2):
        assert f'<a href="#s{number}">' in made
        assert f'<section id="s{number}"><h2>{number}. ' in made
