import math

import pytest

from ganface.dataset.labels import read_labels
from ganface.errors import UserError


@pytest.fixture
def write(tmp_path):
    def write(*lines, encoding="utf-8"):
        path = tmp_path / "labels.csv"
        path.write_text("\n".join(lines) + "\n", encoding)
        return path

    return write


def test_numbers_stay_hues_become_points_of_a_circle_and_texts_columns(write):
    path = write(
        "file,tilt,hair_hue,tie", "a.png,-1.5,0,loose", "b/b.png,2,0.25,tail", "c.png,3,0.5,bun"
    )
    labels = read_labels(path)
    assert labels.files == ["a.png", "b/b.png", "c.png"]
    assert labels.columns.pop("hair_hue cos") == pytest.approx([1, 0, -1])
    assert labels.columns.pop("hair_hue sin") == pytest.approx([0, 1, 0])
    assert labels.columns == {
        "tilt": [-1.5, 2, 3],
        "tie bun": [0, 0, 1],
        "tie loose": [1, 0, 0],
        "tie tail": [0, 1, 0],
    }
    assert labels.factors["hair_hue sin"] == labels.factors["hair_hue cos"] == "hair_hue"
    assert labels.factors["tie bun"] == "tie"


def test_hues_above_1_are_degrees(write):
    columns = read_labels(write("file,Hue", "a,90", "b,360")).columns
    assert columns["Hue sin"] == pytest.approx([1, math.sin(2 * math.pi)])


def test_of_two_texts_one_column_says_all(write):
    assert read_labels(write("file,smile", "a,no", "b,yes")).columns == {"smile yes": [0, 1]}


def test_windows_names_and_its_mark_of_utf_8_are_understood(write):
    assert read_labels(write("\ufefffile,x", "a\\b.png,1", "c.png,2")).files == ["a/b.png", "c.png"]


def test_what_says_nothing_is_left_out_and_said(write, capsys):
    names = [f"{i}.png,{i},same,text {i}" for i in range(40)]
    labels = read_labels(write("file,x,y,note", *names, "40.png,,same,z", "", "41.png,41,same,z"))
    assert [*labels.columns] == ["x"]
    assert "40.png" not in labels.files
    said = capsys.readouterr().err
    assert "y is same everywhere, and left out" in said
    assert "note has 41 different texts, and is left out" in said
    assert "1 rows with an empty value are left out" in said


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([""], "empty"),
        (["file", "a"], "its first line must name"),
        (["file,", "a,1"], "its first line must name"),
        (["file,x,x", "a,1,2"], "two columns are named x"),
        (["file,x", "a,1", "a,2"], "a has more than one row"),
        (["file,x", "b\\a,1", "b/a,2"], "b/a has more than one row"),
        (["file,x", "a,1", "b,1,2"], "row 3 has 3 values, and there are 2 columns"),
        (["file,x", "a,1", "b,nan"], "x is nan somewhere, which is no number"),
        (["file,hue", "a,1", "b,400"], "hue is not from 0 to 1"),
        (["file,hue", "a,-0.1", "b,0.4"], "hue is not from 0 to 1"),
        (["file,x", "a,1", "b,1"], "no column tells images apart"),
        (["file,x"], "has no row of labels"),
        (["file,x", "a,"], "has no row of labels"),
    ],
)
def test_other_tables_are_refused(lines, message, write):
    with pytest.raises(UserError, match=message):
        read_labels(write(*lines))


def test_what_is_no_text_or_not_there_is_refused(write, tmp_path):
    with pytest.raises(UserError, match="not a text in UTF-8"):
        read_labels(write("file,x", "é,1", encoding="utf-16"))
    with pytest.raises(UserError, match="cannot be read"):
        read_labels(tmp_path / "none.csv")
    with pytest.raises(UserError, match="cannot be read"):
        read_labels(tmp_path)
