from pathlib import Path

import pytest

from ganface.cli.names import free_paths, name_faces, name_orders


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


def test_a_name_that_is_taken_gets_a_number_for_all_its_suffixes():
    Path("walk.png").touch()
    assert free_paths("walk", ".gif", ".png") == [Path("walk-2.gif"), Path("walk-2.png")]
    assert free_paths("other", ".gif") == [Path("other.gif")]
