import os

import pytest
from conftest import draw_folder, draw_image
from packing import CONFIG

from ganface.config.dataset import BuildConfig
from ganface.dataset.build import report_path
from ganface.dataset.cache import cached_pack


@pytest.fixture
def source(tmp_path):
    return draw_folder(tmp_path / "source", range(5))


def test_a_cached_pack_is_used_again_until_something_changes(tmp_path, source):
    cache = tmp_path / "cache"
    path, report = cached_pack(source, CONFIG, cache)
    assert report.used == 5
    stamp = path.stat().st_mtime_ns
    assert cached_pack(source, CONFIG, cache)[0] == path
    assert path.stat().st_mtime_ns == stamp

    other, report = cached_pack(source, BuildConfig(size=24), cache)
    assert other != path
    assert report.used == 5

    draw_image(77).save(source / "new.png")
    other, report = cached_pack(source, CONFIG, cache)
    assert other != path
    assert report.used == 6


def test_a_cached_pack_still_says_what_was_left_out(tmp_path, source):
    cache = tmp_path / "cache"
    (source / "notes.txt").write_text("x")
    path, first = cached_pack(source, CONFIG, cache)
    _, again = cached_pack(source, CONFIG, cache)
    assert (again.used, again.left_out) == (first.used, first.left_out)
    assert again.read_again == report_path(path)
    for damage in ("{", "[]", '{"used": 5, "left_out": [{}]}'):
        report_path(path).write_text(damage)
        assert cached_pack(source, CONFIG, cache) == (path, None)


def test_packs_of_two_folders_of_one_name_are_kept_apart(tmp_path):
    paths = set()
    for place in "ab":
        source = draw_folder(tmp_path / place / "faces", range(3))
        for image in source.iterdir():
            os.utime(image, (1, 1))
        paths.add(cached_pack(source, CONFIG, tmp_path / "cache")[0])
    assert len(paths) == 2
