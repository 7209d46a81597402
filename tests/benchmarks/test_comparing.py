from types import SimpleNamespace

import comparing
import pytest
from PIL import Image

from ganface.dataset.pack import Pack
from ganface.evaluation import score


def course(*distances):
    return {
        1000 * n: {"learnt": d, "coverage": 1 / d, "score": 2 * d, "swd": -d}
        for n, d in enumerate(distances, 1)
    }


COURSES = {"one": [course(9.0, 8.0), course(7.0, 4.0)], "other": [course(6.0, 5.0)]}


def test_ranks_agree_or_disagree():
    assert comparing.correlation([(1, 10), (2, 20), (3, 900)]) == pytest.approx(1)
    assert comparing.correlation([(1, 3), (2, 2), (3, 1)]) == pytest.approx(-1)


def test_the_table_holds_means_over_seeds_best_at_the_end_first(capsys):
    meter = SimpleNamespace(floors={"learnt": 0.5, "coverage": 0.97})
    comparing.show(COURSES, meter)
    lines = capsys.readouterr().out.splitlines()
    assert lines[3:6] == [
        "| other | 6.0 (0.17) | 5.0 (0.20) |",
        "| one | 8.0 (0.13) | 6.0 (0.19) |",
        "| *reals* | 0.5 (0.97) |",
    ]
    assert "score over 6 snapshots: 1.000" in lines[6]
    assert "swd over 6 snapshots: -1.000" in lines[7]


def test_curves_are_drawn_anew(home):
    for _ in range(2):
        comparing.draw(COURSES, home / "curves.png")
    with Image.open(home / "curves.png") as image:
        assert image.width > 1000


def test_a_run_is_measured_once(pack_file, tiny_run, home, monkeypatch):
    monkeypatch.setattr(comparing.learnt, "STEPS", 1)
    monkeypatch.setattr(comparing.learnt, "SAMPLES", 50)
    for module in (comparing, score):
        monkeypatch.setattr(module, "FACES", 50)
    monkeypatch.setattr(comparing.learnt, "BATCH", 16)
    meter = comparing.Meter(Pack(pack_file), home / "features.safetensors")
    found = meter.course(tiny_run, home / "figures.json")
    assert list(found) == [4, 8, 12]
    assert set(found[4]) == {"learnt", "coverage", "density", "score", "swd"}
    monkeypatch.setattr(meter, "measure", None)
    assert meter.course(tiny_run, home / "figures.json") == found


@pytest.mark.parametrize("options", comparing.RECIPES.values(), ids=comparing.RECIPES)
def test_every_recipe_is_one(options, pack_file, invoke):
    invoke("train", pack_file, "--dry-run", "--device", "cpu", *options.split()).done()
