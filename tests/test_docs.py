"""README and docs/: links lead somewhere, command lines exist, README stays short."""

import re
import shlex
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "data" / "README.md"])

by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def command_lines(page: Path) -> list[str]:
    """The lines of blocks of code in no language; what a backslash continues is one line."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    text = "\n".join(block for language, block in blocks if not language)
    return text.replace("\\\n", " ").splitlines()


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@by_name
def test_relative_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if link.startswith("https://"):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@by_name
def test_options_of_commands_exist(page, invoke):
    """--help is answered only if all options before it are known and have what they need."""
    for line in command_lines(page):
        words = shlex.split(line, comments=True)
        if "ganface" in words and (words[0] == "ganface" or "torchrun" in words):
            invoke(*words[words.index("ganface") + 1 :], "--help").done()


@by_name
def test_scripts_and_tests_that_are_named_exist(page):
    found = re.findall(r"(?:scripts|benchmarks|tests|ganface)/[\w/.-]*\w", page.read_text("utf-8"))
    assert [path for path in found if not (ROOT / path).exists()] == []


def test_readme_says_the_same_in_chinese():
    english, chinese = ROOT / "README.md", ROOT / "README.zh.md"
    for of in (commands, links, figures):
        assert of(english) == of(chinese)


def commands(page: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in command_lines(page))
    return [line for line in lines if line.startswith(("ganface ", "git ", "python3 ", "scripts/"))]


def links(page: Path) -> list[str]:
    return [x for x in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if not x.startswith("README")]


def figures(page: Path) -> list[str]:
    return sorted(re.findall(r"\d+(?:[.,:]\d+)*", page.read_text("utf-8")))


def test_every_page_can_be_reached_from_readme():
    links = set(re.findall(r"\]\(([^)#\s]+)", prose(ROOT / "README.md")))
    assert {page.relative_to(ROOT).as_posix() for page in PAGES} - links == {"README.md"}


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 215
