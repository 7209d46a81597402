import os

import pytest
from conftest import draw_folder, draw_image
from packing import CONFIG

from ganface.config.dataset import BuildConfig
from ganface.dataset.cache import cached_pack


@pytest.fixture
def source(tmp_path):
    return draw_folder(tmp_path / "source", range(5))


def test_a_cached_pack_is_used_again_until_something_changes(tmp_path, source):
    cache = tmp_path / "cache"
    path, report = cached_pack(source, CONFIG, cache)
    assert report.used == 5
    stamp = path.stat().st_mtime_ns
    assert cached_pack(source, CONFIG, cache) == (path, None)
    assert path.stat().st_mtime_ns == stamp

    other, report = cached_pack(source, BuildConfig(size=24), cache)
    assert other != path
    assert report.used == 5

    draw_image(77).save(source / "new.png")
    other, report = cached_pack(source, CONFIG, cache)
    assert other != path
    assert report.used == 6


def test_packs_of_two_folders_of_one_name_are_kept_apart(tmp_path):
    paths = set()
    for place in "ab":
        source = draw_folder(tmp_path / place / "faces", range(3))
        for image in source.iterdir():
            os.utime(image, (1, 1))
        paths.add(cached_pack(source, CONFIG, tmp_path / "cache")[0])
    assert len(paths) == 2
