import math

import pytest

from ganface.dataset.label_numbers import numbers_of, read_label_numbers
from ganface.errors import UserError


def numbers(header, *rows):
    """Of the rows of a table, as it is read."""
    columns = header.split(",")[1:]
    cells = [row.split(",") for row in rows]
    return numbers_of({f: dict(zip(columns, r, strict=True)) for f, *r in cells}, "labels.csv")


def test_numbers_stay_hues_become_points_of_a_circle_and_texts_columns():
    labels = numbers(
        "file,tilt,hair_hue,tie", "a.png,-1.5,0,loose", "b/b.png,2,0.25,tail", "c.png,3,0.5,bun"
    )
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


def test_hues_above_1_are_degrees():
    columns = numbers("file,Hue", "a,90", "b,360").columns
    assert columns["Hue sin"] == pytest.approx([1, math.sin(2 * math.pi)])


def test_of_two_texts_one_column_says_all():
    assert numbers("file,smile", "a,no", "b,yes").columns == {"smile yes": [0, 1]}


def test_what_says_nothing_is_left_out_and_said(capsys):
    names = [f"{i}.png,{i},same,text {i}" for i in range(40)]
    labels = numbers("file,x,y,note", *names, "40.png,,same,z", "41.png,41,same,z")
    assert [*labels.columns] == ["x"]
    assert "40.png" not in labels.files
    said = capsys.readouterr().err
    assert "y is same everywhere, and left out" in said
    assert "note has 41 different texts, and is left out" in said
    assert "1 images with an empty label are left out" in said


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["file,x", "a,1", "b,nan"], "x is nan somewhere, which is no number"),
        (["file,hue", "a,1", "b,400"], "hue is not from 0 to 1"),
        (["file,hue", "a,-0.1", "b,0.4"], "hue is not from 0 to 1"),
        (["file,x", "a,1", "b,1"], "no label tells images apart"),
        (["file,x", "a,"], "no label tells images apart"),
    ],
)
def test_other_labels_are_refused(rows, message):
    with pytest.raises(UserError, match=message):
        numbers(*rows)


def test_they_are_those_of_images_that_are_there(faces, pack_file, tmp_path, capsys):
    (tmp_path / "labels.csv").write_text("file,x\n003,1\n001.png,2\nnone,3\n")
    labels = read_label_numbers(faces, str(tmp_path / "labels.csv"))
    assert (labels.files, labels.columns) == (["003.png", "001.png"], {"x": [1, 2]})
    assert "1 labels are of no image, such as none" in capsys.readouterr().err
    with pytest.raises(UserError, match="a pack knows no names of files"):
        read_label_numbers(pack_file, "labels.csv")
