import json
from pathlib import Path

import pytest
import torch
from conftest import TINY, draw_image
from pictures_made import pixels_of

from ganface.io.tensors import read_tensors
from ganface.latents.directions import length
from ganface.models.snapshot import load_generator
from ganface.pictures.png import read_png_meta


@pytest.fixture
def found(tiny_run, invoke):
    """What the command found for the tiny run, and the file."""
    (line,) = invoke("directions", tiny_run.path, "--count", 2, "--json").done()
    return json.loads(line)


def test_a_file_of_unit_vectors_belongs_to_the_snapshot(tiny_run, found):
    assert found["out"] == "tiny-directions.safetensors"
    meta, tensors = read_tensors(Path(found["out"]), "directions")
    assert meta["snapshot"] == found["snapshot"] == load_generator(tiny_run.generator)[1]["sha256"]
    vectors = tensors["vectors"]
    places = load_generator(tiny_run.generator)[0].places
    assert vectors.shape == (len(found["directions"]), places, 8)
    torch.testing.assert_close(length(vectors), torch.ones(len(vectors)))
    kinds = [each["found_by"] for each in found["directions"]]
    assert kinds == ["measured"] * (len(kinds) - 2) + ["jacobian"] * 2
    assert len({each["name"] for each in found["directions"]}) == len(kinds)


def test_the_same_command_finds_the_same_and_writes_nothing_over(tiny_run, found, invoke, home):
    lines = invoke("directions", tiny_run.path, "--count", 2).done()
    assert lines[-1] == "tiny-directions-2.safetensors"
    assert (home / found["out"]).read_bytes() == (home / lines[-1]).read_bytes()
    assert "direction" in lines[0]
    assert all(each["name"] in "\n".join(lines) for each in found["directions"])


def test_sefa_reads_the_weights_alone(tiny_run, invoke):
    (line,) = invoke("directions", tiny_run.path, "--by", "sefa", "--json").done()
    free = [each for each in json.loads(line)["directions"] if each["found_by"] == "sefa"]
    assert len(free) == 8
    assert 0 < sum(each["strength"] for each in free) <= 1.0001
    shares = [each["strength"] for each in free]
    assert shares == sorted(shares, reverse=True)


def test_labels_take_the_place_of_measuring(tiny_run, invoke, home, monkeypatch):
    monkeypatch.setattr("ganface.evaluation.label_reader.UPDATES", 100)
    rows = ["file,hair_hue,dark"]
    (home / "mine").mkdir()
    for number in range(120):
        image = draw_image(number)
        image.paste((2 * number, 0, 0), (0, 0, 40, 20))
        image.save(home / "mine" / f"{number}.png")
        rows.append(f"{number}.png,0.{number % 10},{number}")
    (home / "mine" / "factors.csv").write_text("\n".join(rows))
    options = ("directions", tiny_run.path, "--count", 1, "--json", "--out")
    by_folder = json.loads(*invoke(*options, "a.st", "--faces", "mine").done())
    names = [each["name"] for each in by_folder["directions"]]
    assert "hair-brightness" not in names
    assert all("dark" in name for name in names)
    # The folder and its file of labels each stand for the other
    by_labels = json.loads(*invoke(*options, "b.st", "--labels", "mine/factors.csv").done())
    assert by_labels["directions"] == by_folder["directions"]


def test_info_says_what_a_file_of_directions_holds(found, invoke):
    lines = invoke("info", found["out"]).done()
    assert "kind: directions" in lines
    assert f"snapshot: {found['snapshot']}" in lines


def test_interpolate_draws_a_row_for_each_direction(tiny_run, found, invoke, home):
    names = [each["name"] for each in found["directions"]]
    options = ("--directions", found["out"], "--frames", 4, "--range", "-2,2")
    (line,) = invoke("interpolate", tiny_run.path, *options, "--json").done()
    result = json.loads(line)
    name = "tiny-step-000012-directions-seeds-0"
    assert result["out"] == [f"{name}.gif", f"{name}.png"]
    meta = read_png_meta(home / f"{name}.png")
    assert (meta["kind"], meta["names"], meta["range"]) == ("directions", names, [-2.0, 2.0])
    picked = ("--pick", f"1,{names[0]}", "--out", "few.png")
    invoke("interpolate", tiny_run.path, *options, *picked).done()
    assert read_png_meta(home / "few.png")["names"] == [names[1], names[0]]


def test_sample_moves_every_face(tiny_run, found, invoke, home):
    name = found["directions"][0]["name"]
    options = ("sample", tiny_run.path, "--seeds", "0-3", "--directions", found["out"])
    invoke("sample", tiny_run.path, "--seeds", "0-3", "--out", "still.png").done()
    invoke(*options, "--move", f"{name}=0", "--out", "none.png").done()
    invoke(*options, "--move", f"{name}=2", "--move", "1=-1", "--out", "moved.png").done()
    assert pixels_of(home / "none.png") == pixels_of(home / "still.png")
    assert pixels_of(home / "moved.png") != pixels_of(home / "still.png")
    meta = read_png_meta(home / "moved.png")
    assert meta["moves"] == {name: 2.0, "1": -1.0}
    assert (meta["seeds"], len(meta["directions"])) == ("0-3", 64)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("interpolate RUN --directions FOUND --pick jacobian-9", "did you mean jacobian-"),
        ("interpolate RUN --directions FOUND --pick 99", "directions, from 0 on"),
        ("interpolate RUN --directions FOUND --dims 0", "does not go with --directions"),
        ("interpolate RUN --directions FOUND --rows 2", "does not go with --rows"),
        ("interpolate RUN --directions FOUND --seeds 1,2", "--directions holds one face"),
        ("interpolate RUN --pick 0", "--pick 0: does nothing without --directions"),
        ("interpolate RUN --directions none.st", "none.st: cannot be read"),
        ("interpolate RUN --directions SNAPSHOT", "a snapshot, where a file of directions"),
        ("interpolate SNAPSHOT --directions FOUND", "directions of another snapshot"),
        ("sample SNAPSHOT --directions FOUND --move 0=1", "directions of another snapshot"),
        ("sample RUN --directions FOUND --move hair", "write a direction and how far"),
        ("sample RUN --directions FOUND --move jacobian-9=1", "did you mean jacobian-"),
        ("sample RUN --directions FOUND", "does nothing without --move"),
        ("sample RUN --move hair=1", "--move hair=1: does nothing without --directions"),
        ("directions RUN --faces none", "none: there is no such file or folder"),
        ("directions RUN --faces FACES", "factors.csv: there is no such file or folder"),
        ("directions RUN --faces PACK", "is no folder with a factors.csv; add --labels"),
        (
            "directions RUN --faces FACES --labels labels.csv",
            "has 2 images with labels, 100 are needed",
        ),
        ("directions RUN --faces FACES --labels twice.csv", "000.png is there already"),
        ("directions RUN --by luck", "luck"),
        ("directions PACK", "a pack, where a snapshot or checkpoint is needed"),
        ("sample FOUND", "a file of directions, where a snapshot or checkpoint is needed"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    command, message, tiny_run, found, faces, pack_file, invoke, home
):
    (home / "labels.csv").write_text("file,x\n000.png,1\n001.png,2\n")
    (home / "twice.csv").write_text("file,x\n000.png,1\n000.png,2\n")
    words = {
        "RUN": tiny_run.path,
        "SNAPSHOT": tiny_run.snapshot(4),
        "FOUND": found["out"],
        "FACES": faces,
        "PACK": pack_file,
    }
    assert message in invoke(*(words.get(word, word) for word in command.split())).refused()


def test_without_modulation_there_is_no_sefa(pack_file, invoke):
    train = ("train", pack_file, *TINY, "--steps", 1, "--milestones", 1, "--out", "plain")
    invoke(*train, "--preset", "dcgan").done()
    line = invoke("directions", "plain", "--by", "sefa").refused()
    assert "--by sefa: needs a generator whose layers are modulated by z" in line
    assert "jacobian-1" in "\n".join(invoke("directions", "plain", "--count", 1).done())


def test_a_discriminator_that_climbs_has_directions_too(pack_file, invoke):
    train = ("train", pack_file, *TINY, "--steps", 1, "--milestones", 1, "--out", "energy")
    invoke(*train, "--method", "energy", "--ascent-steps", 2).done()
    assert "--by jacobian" in invoke("directions", "energy", "--by", "sefa").refused()
    assert "jacobian-1" in "\n".join(invoke("directions", "energy", "--count", 1).done())
    found = "energy-directions.safetensors"
    shown = invoke(
        "interpolate", "energy", "--directions", found, "--pick", 0, "--frames", 2
    ).done()
    assert len(shown) == 2
