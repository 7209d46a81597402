"""Sections of texts in two languages, pictures and findings -> one HTML file that needs no other.

Pictures are inside it, and no address is outside: it opens from a disk, offline, and can be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from ganface.io.html import embedded, write_html


class Text(NamedTuple):
    """The same, said twice. Plain text."""

    en: str
    zh: str


@dataclass(frozen=True)
class Picture:
    """`file`: where it lies as a PNG. Small ones are enlarged, pixel by pixel; a chart is not made
    smaller, for its letters must be read: on a narrow screen it can be moved."""

    file: Path
    caption: Text
    chart: bool = False


@dataclass(frozen=True)
class Table:
    """`rows`: each a name and a value for each column. `lead`: what stands above the names."""

    lead: Text
    columns: Sequence[Text]
    rows: Sequence[tuple[Text, Sequence[str]]]


@dataclass(frozen=True)
class Block:
    """One thought: what is said of it, what shows it, and what came out here."""

    text: Text
    shown: Sequence[Picture | Table] = ()
    finding: Text | None = None
    command: str = ""


@dataclass(frozen=True)
class Section:
    title: Text
    question: Text
    blocks: Sequence[Block]


def write_page(
    path: Path, title: Text, opening: Sequence[Text], sections: Sequence[Section], closing: Text
) -> None:
    """Write the page. Raises CannotWriteError."""
    contents = "".join(
        f'<li><a href="#s{number}">{_both(section.title)}</a></li>'
        for number, section in enumerate(sections, start=1)
    )
    body = "".join(_section(number, section) for number, section in enumerate(sections, start=1))
    head = f"<header><h1>{_both(title)}</h1>{_paragraphs(opening)}<ol>{contents}</ol></header>"
    foot = f"<footer>{_paragraphs([closing])}</footer>"
    write_html(path, title.en, f"{SWITCH}\n{head}\n<main>\n{body}</main>\n{foot}", STYLE, SCRIPT)


def _section(number: int, section: Section) -> str:
    blocks = "".join(map(_block, section.blocks))
    return (
        f'<section id="s{number}"><h2>{number}. {_both(section.title)}</h2>'
        f'<p class="question">{_both(section.question)}</p>{blocks}</section>\n'
    )


def _block(block: Block) -> str:
    shown = "".join(_table(x) if isinstance(x, Table) else _picture(x) for x in block.shown)
    command = f"<pre>{escape(block.command)}</pre>" if block.command else ""
    finding = ""
    if block.finding:
        lead = _both(Text("Measured here: ", "实测："))
        finding = f'<p class="finding"><b>{lead}</b>{_both(block.finding)}</p>'
    return f"<article>{_paragraphs([block.text])}{command}{shown}{finding}</article>\n"


def _picture(picture: Picture) -> str:
    with Image.open(picture.file) as image:
        width, height = image.size
        file = BytesIO()
        image.save(file, "PNG", optimize=True)  # without the metadata
    zoom = max(1, round(SHOWN_WIDTH / width)) if width < SHOWN_WIDTH / 1.5 else 1
    chart = ' class="chart"' if picture.chart else ""
    alternative = f"{picture.caption.en} {picture.caption.zh}"
    return (
        f'<figure{chart}><img src="{embedded(file.getvalue())}" width="{zoom * width}" '
        f'height="{zoom * height}" alt="{escape(alternative)}">'
        f"<figcaption>{_both(picture.caption)}</figcaption></figure>"
    )


def _table(table: Table) -> str:
    head = "".join(f"<th>{_both(column)}</th>" for column in (table.lead, *table.columns))
    rows = "".join(
        f"<tr><th>{_both(name)}</th>{''.join(f'<td>{escape(v)}</td>' for v in values)}</tr>"
        for name, values in table.rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _paragraphs(texts: Sequence[Text]) -> str:
    return "".join(f"<p>{_both(text)}</p>" for text in texts)


def _both(text: Text) -> str:
    return f'<span lang="en">{escape(text.en)}</span><span lang="zh">{escape(text.zh)}</span>'


SHOWN_WIDTH = 640  # CSS pixels to which small pictures are brought near

SWITCH = """<nav><button type="button" data-to="en" aria-pressed="true">English</button>
<button type="button" data-to="zh" aria-pressed="false">中文</button></nav>"""

# Without scripts the page is English
SCRIPT = """
const buttons = document.querySelectorAll("button[data-to]");
function speak(language) {
  document.documentElement.lang = language;
  buttons.forEach(b => b.setAttribute("aria-pressed", b.dataset.to === language));
}
buttons.forEach(b => b.addEventListener("click", () => speak(b.dataset.to)));
speak(navigator.language.startsWith("zh") ? "zh" : "en");
"""

STYLE = """
html[lang=en] span[lang=zh], html[lang=zh] span[lang=en] { display: none; }
nav { position: sticky; top: 0; padding: .5rem 0; text-align: right; background: var(--paper); }
h2 { margin-top: 3.5rem; }
section { scroll-margin-top: 3rem; }
.question { font-size: 1.15em; font-style: italic; }
html[lang=zh] .question { font-style: normal; }
article { margin: 2rem 0; }
.finding { padding: .6rem .9rem; border-left: 4px solid var(--mark); background: var(--soft); }
.wide { overflow-x: auto; }
@media print { nav { display: none; } .finding { break-inside: avoid; } }
"""
