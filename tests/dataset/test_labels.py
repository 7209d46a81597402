"""Labels of images, from all that may hold them, into a pack."""

import json

import pytest
from conftest import draw_folder, draw_image
from packing import CONFIG, zip_of

from ganface.config.dataset import BuildConfig
from ganface.dataset.build import build_pack, report_path
from ganface.dataset.cache import cached_pack
from ganface.dataset.labels import read_labels, tags_of
from ganface.dataset.pack import HEADER_BYTES, Pack
from ganface.errors import UserError

NAMES = ["a/0.png", "a/1.png", "b/2.png", "b/3.png"]


def config(labels, columns=""):
    return BuildConfig(size=16, max_bad=60, labels=str(labels), label_columns=columns)


def said(path, names=NAMES, columns=""):
    """What a file says of the images of these names."""
    return read_labels(path.parent, config(path, columns), names).said


def table(tmp_path, text, name="labels.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def refusal(path, names=NAMES, columns=""):
    with pytest.raises(UserError) as error:
        read_labels(path.parent, config(path, columns), names).of(names)
    return str(error.value)


@pytest.fixture
def source(tmp_path):
    """Two folders of three images."""
    for number, name in enumerate(("day", "night")):
        draw_folder(tmp_path / "source" / name, range(3 * number, 3 * number + 3))
    return tmp_path / "source"


def test_folders_are_classes_and_the_pack_holds_them(tmp_path, source):
    draw_image(9).save(source / "top.png")
    path = tmp_path / "p.safetensors"
    report = build_pack(source, path, config("folders"), workers=1)
    pack = Pack(path)
    assert pack.attributes == {"folder": ("day", "night")}
    assert pack.labels.tolist() == [[1], [1], [1], [2], [2], [2], [0]]
    assert report.labels == {"folder": {"day": 3, "night": 3}}
    assert report.notes == ["labels: 1 images have no label, such as top.png"]
    assert json.loads(report_path(path).read_text())["labels"] == report.labels


def test_what_holds_labels_is_no_image_that_is_missed(tmp_path, source):
    path = tmp_path / "p.safetensors"
    labels = table(source, "file,tone\n" + "".join(f"00{i},{i % 2}\n" for i in range(6)))
    for number, colour in enumerate(("aqua", "aqua", "red", "red")):
        (source / ("day", "night")[number // 3] / f"00{number}.txt").write_text(f"{colour} hair")
    texts = [f"{'day' if number < 3 else 'night'}/00{number}.txt" for number in range(4)]
    assert [*build_pack(source, path, config(labels), workers=1).left_out] == texts
    assert [*build_pack(source, path, config("txt"), workers=1).left_out] == ["labels.csv"]


def test_a_pack_without_labels_is_what_it_was(tmp_path, source):
    """Its header says nothing of labels, and no byte follows the checksums."""
    path = tmp_path / "p.safetensors"
    build_pack(source, path, CONFIG, workers=1)
    assert b"label" not in path.read_bytes()[:HEADER_BYTES]
    assert path.stat().st_size == HEADER_BYTES + 6 * (3 * 16 * 16 + 4)
    assert Pack(path).attributes == {}
    assert Pack(path).labels.shape == (6, 0)


def test_equal_images_and_labels_make_an_equal_pack_wherever_they_come_from(tmp_path, source):
    rows = [
        f"{folder}/{path.name},{folder}"
        for folder in ("day", "night")
        for path in sorted((source / folder).iterdir())
    ]
    paths = []
    for number, labels in enumerate(
        ("folders", table(tmp_path, "\n".join(["file,folder", *rows])))
    ):
        paths.append(tmp_path / f"{number}.safetensors")
        build_pack(source, paths[-1], config(labels), workers=1)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    archive = tmp_path / "zipped.safetensors"
    build_pack(zip_of(source, tmp_path / "s.zip"), archive, config("folders"), workers=1)
    assert archive.read_bytes() == paths[0].read_bytes()


def test_a_flipped_bit_of_a_label_is_found(tmp_path, source):
    path = tmp_path / "p.safetensors"
    build_pack(source, path, config("folders"), workers=1)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="checksum"):
        Pack(path)


def test_labels_follow_their_images_where_others_are_left_out(tmp_path, source):
    (source / "day" / "001.png").write_bytes(b"no image")
    (source / "night" / "twin.png").write_bytes((source / "day" / "000.png").read_bytes())
    path = tmp_path / "p.safetensors"
    build_pack(source, path, config("folders"), workers=1)
    assert Pack(path).labels.flatten().tolist() == [1, 1, 2, 2, 2]


def test_a_pack_in_the_cache_is_made_anew_when_its_labels_change(tmp_path, source):
    labels = table(tmp_path, "file,tone\n" + "".join(f"00{i},{i % 2}\n" for i in range(6)))
    first, _ = cached_pack(source, config(labels), tmp_path / "cache")
    assert cached_pack(source, config(labels), tmp_path / "cache")[0] == first
    labels.write_text("file,tone\n" + "".join(f"00{i},{i // 3}\n" for i in range(6)))
    second, report = cached_pack(source, config(labels), tmp_path / "cache")
    assert (second != first, report is None) == (True, False)
    assert Pack(first).labels.flatten().tolist() == [1, 2] * 3
    assert Pack(second).labels.flatten().tolist() == [1] * 3 + [2] * 3


@pytest.mark.parametrize("name", ["a/1.png", "a\\1.png", "./a/1.png", "1.png", "1", "a/1"])
def test_an_image_may_be_called_by_its_path_its_name_or_its_stem(tmp_path, name):
    found = said(table(tmp_path, f"file,mood\n{name},happy\n"))
    assert found == {"a/1.png": {"mood": "happy"}}


def test_columns_are_attributes_and_empty_cells_are_not_known(tmp_path):
    path = table(tmp_path, "file,hair,mood,x\n0,red,,1\n1,blue,sad,2\n2,red,sad,3\n3,blue,gay,4\n")
    labels, notes = read_labels(tmp_path, config(path, "hair, mood"), NAMES).of(NAMES)
    assert labels.attributes == {"hair": ("blue", "red")}  # one mood is left: nothing to learn
    assert labels.rows == [b"\2", b"\1", b"\2", b"\1"]
    assert labels.counts == {"hair": {"blue": 2, "red": 2}}
    assert "gay: one image alone has it" in notes[0]
    assert "mood: all others have the same" in notes[1]


def test_many_different_numbers_are_cut_into_ranges_with_as_many_images_in_each(tmp_path):
    names = [f"{i}.png" for i in range(101)]
    rows = [f"{i},{(i * 37) % 101 / 100},{i % 3}" for i in range(101)]
    path = table(tmp_path, "\n".join(["file,light,eyes", *rows]))
    labels, _ = read_labels(tmp_path, config(path), names).of(names)
    assert labels.attributes == {
        "light": ("0..0.25", "0.25..0.5", "0.5..0.75", "0.75..1"),
        "eyes": ("0", "1", "2"),
    }
    assert [*labels.counts["light"].values()] == [26, 25, 25, 25]


def test_what_is_no_finite_number_is_not_known(tmp_path):
    names = [f"{i}.png" for i in range(40)]
    cells = ["nan", "inf", "", *map(str, range(37))]
    text = "file,age\n" + "".join(f"{n},{v}\n" for n, v in zip(names, cells, strict=True))
    labels, _ = read_labels(tmp_path, config(table(tmp_path, text)), names).of(names)
    assert [row[0] > 0 for row in labels.rows] == [False] * 3 + [True] * 37


def test_vectors_of_a_json_are_one_hot_all_together_or_not_at_all(tmp_path):
    labels = [["a/0.png", [1, 0]], ["a/1.png", [1, 1]], ["b/2.png", [0, 1]], ["b/3.png", [0, 0]]]
    path = table(tmp_path, json.dumps({"labels": labels}), "dataset.json")
    flags = [{"label_0": a, "label_1": b} for a, b in (["1.0", "0.0"], ["1.0", "1.0"])]
    assert [said(path)[name] for name in NAMES[:2]] == flags


@pytest.mark.parametrize("often", [0, 50])
def test_a_number_that_most_images_have_is_no_part_of_a_range(tmp_path, often):
    names = [f"{i}.png" for i in range(100)]
    numbers = [often] * 60 + [*range(1, 41)]
    text = "file,age\n" + "".join(f"{n},{v}\n" for n, v in zip(names, numbers, strict=True))
    labels, notes = read_labels(tmp_path, config(table(tmp_path, text)), names).of(names)
    assert labels.counts["age"][str(often)] == 60
    assert sum(labels.counts["age"].values()) == 100
    assert not notes


def test_columns_that_tell_nothing_are_left_out_with_the_reason(tmp_path):
    text = "file,name,year,place,hair\n" + "".join(
        f"{name},n{i},9,{'ab'[i == 3]},h{i % 2}\n" for i, name in enumerate(NAMES)
    )
    labels, notes = read_labels(tmp_path, config(table(tmp_path, text)), NAMES).of(NAMES)
    assert list(labels.attributes) == ["hair"]
    assert notes == [
        "labels: name: n0, n1, n2, …: one image alone has it; left out",
        "labels: name: no two images have the same; left out",
        "labels: place: b: one image alone has it; left out",
        "labels: place: all others have the same; left out",
        "labels: year: all images have the same; left out",
    ]


def test_labels_that_a_pack_has_no_room_for_are_refused_before_the_work(
    tmp_path, source, monkeypatch
):
    def ingest(*_):
        raise AssertionError("the work began")
        yield

    monkeypatch.setattr("ganface.dataset.build.map_in_order", ingest)
    names = [f"{folder}/{i}.png" for folder in ("day", "night") for i in range(6)]
    for i, name in enumerate(names):
        draw_image(i).save(source / name)
    text = "file,a\n" + "".join(f"{n},{'x' * HEADER_BYTES}{i % 2}\n" for i, n in enumerate(names))
    with pytest.raises(UserError, match="too many for a pack, or too long"):
        build_pack(source, tmp_path / "p.safetensors", config(table(tmp_path, text)), workers=1)


def test_tags_tell_colours_of_hair_and_eyes():
    assert tags_of("aqua hair aqua eyes") == {
        "aqua_hair_aqua_eyes": "yes",
        "hair": "aqua",
        "eyes": "aqua",
    }
    found = tags_of("1girl, long_hair, light blue hair, Red_Eyes, smile")
    assert (found["hair"], found["eyes"], found["smile"]) == ("blue", "red", "yes")
    assert "eyes" not in tags_of("closed eyes, hair ribbon")


def test_a_course_s_tags_csv_is_read_as_it_is(tmp_path):
    path = table(tmp_path, "0,aqua hair aqua eyes\n1,red hair aqua eyes\n", "tags.csv")
    assert said(path) == {
        "a/0.png": {"hair": "aqua", "eyes": "aqua"},
        "a/1.png": {"hair": "red", "eyes": "aqua"},
    }


def test_tags_beside_the_images_are_read_of_a_folder_and_of_a_zip(tmp_path, source):
    for number, path in enumerate(sorted(source.rglob("*.png"))[:4]):
        hair = ("red", "blue")[number % 2]
        path.with_suffix(".txt").write_text(f"{hair} hair" + ", smile" * (number < 2))
    for given in (source, zip_of(source, tmp_path / "s.zip")):
        path = tmp_path / f"{given.name}.safetensors"
        build_pack(given, path, config("txt", "hair,smile"), workers=1)
        pack = Pack(path)
        assert pack.attributes == {"hair": ("blue", "red"), "smile": ("no", "yes")}
        assert pack.labels.tolist() == [[2, 2], [1, 2], [2, 1], [1, 1], [0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("labels", "attributes", "rows"),
    [
        ([6, 6, 0, 0], {"class": ("0", "6")}, [[2], [2], [1], [1]]),
        ([[0, 1], [1, 0], [1, 0], [0, 1]], {"class": ("0", "1")}, [[2], [1], [1], [2]]),
        (
            [[0.5, 1], [0.5, 1], [2, 1], [2, 3]],
            {"label_0": ("0.5", "2.0")},
            [[1], [1], [2], [2]],
        ),
    ],
)
def test_a_dataset_json_has_integers_or_vectors(tmp_path, labels, attributes, rows):
    pairs = [[name, label] for name, label in zip(NAMES, labels, strict=True)]
    path = table(tmp_path, json.dumps({"labels": pairs}), "dataset.json")
    found, _ = read_labels(tmp_path, config(path), NAMES).of(NAMES)
    assert found.attributes == attributes
    assert [[*row] for row in found.rows] == rows


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("file,x\n0,1\n0,2\n", "", "row 3: 0 is there already"),
        ("file,x\n0,1\n0.png,2\n", "", "0.png has labels twice"),
        ("file,x\n0,1,2\n", "", "row 2 has 3 cells, the first has 2"),
        ("file,x\n,1\n", "", "row 2 names no file"),
        ("file;x\n0;1\n", "", "must be separated by commas"),
        ("file,v,v_,v*\n0,1,2,3\n1,2,3,4\n", "", "columns 'v_' and 'v*' would both be called v_"),
        ("file,x\n0,u=v\n1,u*v\n", "", "x: values 'u*v' and 'u=v' would both be called u_v"),
        ("", "", "is empty"),
        ("file\na\n", "", "its first row must name"),
        ("file,\na,1\n", "", "its first row must name"),
        ("file,x,x\na,1,2\n", "", "two columns are named x"),
        ("file,x\nz.png,1\n", "", "of no image here; it says 'z.png', an image is 'a/0.png'"),
        ("file,hair\n0,red\n1,blue\n", "hairs", "there are hair; did you mean hair?"),
        ("file,x\n0,1\n1,1\n2,1\n", "", "nothing in which images differ; labels: x: all images"),
        ('file,x\n0,"1\n', "", "no table of comma-separated values"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path, text, columns, message):
    assert message in refusal(table(tmp_path, text), columns=columns)


@pytest.mark.parametrize("text", ["{}", "[1]", '{"labels": null}', '{"labels": [["a", "b"]]}', "{"])
def test_a_json_of_another_kind_is_refused(tmp_path, text):
    assert "dataset.json" in refusal(table(tmp_path, text, "d.json"))


def test_what_else_cannot_be_labels_is_refused(tmp_path, source):
    assert "did you mean folders?" in refusal_of_names("folder", NAMES, tmp_path)
    assert "no image of" in refusal_of_names("folders", ["0.png", "1.png"])
    twice = table(tmp_path, "file,x\n0.png,1\n")
    assert "a/0.png and b/0.png; write which" in refusal(twice, ["a/0.png", "b/0.png"])
    names = [f"{i}.png" for i in range(300)]
    many = table(tmp_path, "\n".join(["file,x", *(f"{i},n{i // 2}" for i in range(300))]))
    assert "150 values, more than 100" in refusal(many, names)
    no_tags = refusal_of_names("txt", ["day/000.png"], source)
    assert "no .txt lies beside an image" in no_tags
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\xd8")
    assert "is no text in UTF-8; save it as that" in refusal(tmp_path / "binary.csv")


def refusal_of_names(labels, names, source=None):
    with pytest.raises(UserError) as error:
        read_labels(source, config(labels), names)
    return str(error.value)


def test_images_and_labels_that_have_no_counterpart_are_named(tmp_path):
    path = table(tmp_path, "file,x\n0,1\n1,1\n2,2\n3,2\nz,1\n")
    names = [*NAMES, "c/4.png"]
    _, notes = read_labels(tmp_path, config(path), names).of(names)
    assert notes == [
        "labels: 1 images have no label, such as c/4.png",
        "labels: 1 labels are of no image, such as z",
    ]


def test_attributes_are_in_the_order_in_which_files_keep_them(tmp_path, source):
    rows = "".join(f"{i:03d},{'xy'[i % 2]},{'abc'[i % 3]}\n" for i in range(6))
    path = tmp_path / "p.safetensors"
    labels = table(tmp_path, "file,second,first\n" + rows)
    build_pack(source, path, config(labels), workers=1)
    pack = Pack(path)
    assert [*pack.attributes.items()] == [("first", ("a", "b", "c")), ("second", ("x", "y"))]
    assert pack.labels.tolist() == [[1 + i % 3, 1 + i % 2] for i in range(6)]


def test_signs_that_a_command_line_takes_labels_apart_by_are_replaced(tmp_path):
    path = table(tmp_path, 'file,my hair\n0,"a,b"\n1,c=d\n2,e*\n')
    found = said(path)
    assert [row["my_hair"] for row in found.values()] == ["a_b", "c_d", "e_"]


def test_labels_of_a_pack_are_what_it_was_built_with(tmp_path, source, invoke):
    path = tmp_path / "p.safetensors"
    invoke("dataset", "build", source, path, "--size", 32, "--labels", "folders").done()
    message = invoke("train", path, "--labels", "folders", "--batch-size", 2).refused()
    assert "is a pack; labels enter it as it is built" in message
