"""Pages that need no other file: one HTML file, whole or not at all, with one look."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

from ganface.io.atomic import write_text


def write_html(
    path: Path,
    title: str,
    body: str,
    style: str = "",
    script: str = "",
    head: str = "",
    durable: bool = True,
) -> None:
    """Write a page in English.

    title: plain text. body, head: HTML. style: what comes after STYLE. `durable`: see
    `io.atomic.atomic`. Raises CannotWriteError.
    """
    code = f"<script>{script}</script>\n" if script else ""
    write_text(
        path,
        "<!DOCTYPE html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        # An icon of its own, lest the browser should ask for one
        f'<link rel="icon" href="data:,">\n{head}'
        f"<style>{STYLE}{style}</style>\n</head>\n<body>\n{body}\n{code}</body>\n</html>\n",
        durable,
    )


def embedded(png: bytes) -> str:
    """The address of a picture that lies in the page itself."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


STYLE = """
:root { color-scheme: light dark; --ink: #23232b; --paper: #fff; --soft: #f3f3f7; --line: #d8d8e0;
  --mark: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8ee; --paper: #17171c; --soft: #24242c;
  --line: #3a3a46; --mark: #6cb8e8; } }
body { margin: 0 auto; padding: 0 1rem 3rem; max-width: 46rem; color: var(--ink);
  background: var(--paper); font: 17px/1.6 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
button { font: inherit; padding: .1rem .8rem; border: 1px solid var(--line); border-radius: 1rem;
  color: inherit; background: none; cursor: pointer; }
button[aria-pressed=true] { color: #fff; background: #0072b2; border-color: #0072b2; }
h1 { line-height: 1.2; } h2 { line-height: 1.25; }
a { color: var(--mark); }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; image-rendering: pixelated; border-radius: 4px;
  background: #fff; }
.chart { overflow-x: auto; }
.chart img { max-width: none; image-rendering: auto; }
figcaption { font-size: .87em; opacity: .85; }
table { border-collapse: collapse; font-size: .87em; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
tr th:first-child { text-align: left; }
pre { padding: .6rem .9rem; white-space: pre-wrap; font-size: .87em; background: var(--soft);
  border-radius: 4px; }
footer { margin-top: 4rem; font-size: .87em; border-top: 1px solid var(--line); }
@media print { body { max-width: none; font-size: 11pt; }
  figure, table { break-inside: avoid; } h2 { break-after: avoid; } }
"""
