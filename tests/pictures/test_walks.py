import pytest
import torch

from ganface.pictures.grid import STRIP_COLUMNS
from ganface.pictures.walks import Names, _moments, film_walks, name_walks


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("leg", [2, 5, 24])
@pytest.mark.parametrize("legs", [1, 3, 4, 7, 12])
def test_a_strip_shows_every_stop_of_a_walk_of_few_legs(legs, leg, loop):
    count = legs * leg + (not loop)
    moments = _moments(count, leg)
    assert moments == sorted(set(moments))
    assert len(moments) <= STRIP_COLUMNS
    assert set(range(0, count, leg)) <= set(moments)


def test_a_strip_of_many_legs_shows_both_ends():
    moments = _moments(20 * 3 + 1, 3)
    assert (moments[0], moments[-1], len(moments)) == (0, 60, STRIP_COLUMNS)


def test_a_walk_is_named_by_its_stops_and_of_several_each_by_its_own():
    assert name_walks([["seed 1", "seed 5"]]) == Names([""], ["seed 1", "seed 5"])
    names = name_walks([["seed 1", "seed 5"], ["seed 2", "seed 3"]])
    assert names == Names(["seed 1, seed 5", "seed 2, seed 3"], ["stop 1", "stop 2"])
    long = name_walks([[f"seed {n}" for n in range(s, s + 9)] for s in (0, 9)])
    assert [*long.rows] == ["seed 0 to seed 8", "seed 9 to seed 17"]


def test_names_stand_above_and_beside_the_faces_of_a_strip():
    faces = torch.full((2, 9, 3, 32, 32), 128, dtype=torch.uint8)
    plain, named = (
        film_walks(faces, 4, Names(rows, ["", "", ""]), 1).strip for rows in (["", ""], ["a", "b"])
    )
    assert named.width > plain.width
    assert named.height == plain.height
    stops = film_walks(faces, 4, Names(["", ""], ["one", "two", "three"]), 1).strip
    above = [stops.crop((34 * i, 0, 34 * i + 32, 20)).convert("L").getextrema()[0] for i in (0, 1)]
    assert above[0] < above[1] == 255
