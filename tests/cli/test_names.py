from pathlib import Path

import pytest

from ganface.cli.names import free_paths, name_faces, name_orders
from ganface.cli.shared import choose_out
from ganface.errors import UserError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hair=aqua,eyes=red", "hair=aqua,eyes=red"),
        ("hair_hue=*", "hair_hue=all"),
        ("hair=0.1..0.5", "hair=0.1..0.5"),
        ("tilt=-2.5", "tilt=-2.5"),
        ("hair=a/b:c", "hair=a_b_c"),
        ("头发=蓝", "头发=蓝"),
        ("x" * 99, "x" * 40),
    ],
)
def test_what_is_asked_of_faces_is_part_of_a_name(text, name):
    assert name_orders([text]) == [name]


def test_many_seeds_are_cut_between_two_of_them():
    seeds = ",".join(str(n) for n in range(100, 130))
    assert name_faces(seeds, None) == "seeds-100,101,102,103,104,105,106,107,108,109,more"
    assert name_faces(" 1, 2 ", None) == "seeds-1,2"
    assert name_faces(None, Path("x/mine.safetensors")) == "latents-mine"


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(UserError, match="no permission"):
        choose_out(None, "x-plot.png")


def test_the_dot_in_a_folders_name_is_no_suffix():
    Path("v1.5-evaluation").mkdir()
    assert choose_out(None, "v1.5-evaluation", folder=True) == Path("v1.5-evaluation-2")
    Path("v1.5-plot.png").touch()
    assert choose_out(None, "v1.5-plot.png") == Path("v1.5-plot-2.png")


def test_a_name_that_is_taken_gets_a_number_for_all_its_suffixes():
    Path("walk.png").touch()
    assert free_paths("walk", ".gif", ".png") == [Path("walk-2.gif"), Path("walk-2.png")]
    assert free_paths("other", ".gif") == [Path("other.gif")]
