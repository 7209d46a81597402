import re

from ganface.io.html import embedded, write_html


def test_a_page_is_whole_and_names_no_address(tmp_path):
    path = tmp_path / "page" / "index.html"
    write_html(path, "A < B", "<p>body</p>", "p { color: red }", "let x;", "<meta name=x>\n")
    text = path.read_text("utf-8")
    assert "<title>A &lt; B</title>" in text
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("<p>body</p>\n<script>let x;</script>\n</body>\n</html>\n")
    assert text.index("<meta name=x>") < text.index("p { color: red }") < text.index("<body>")
    assert re.findall(r"http|url\(", text) == []
    assert [each.name for each in path.parent.iterdir()] == ["index.html"]


def test_what_is_embedded_is_the_file_itself():
    assert embedded(b"\x89PNG") == "data:image/png;base64,iVBORw=="
