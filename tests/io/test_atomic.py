import os

import pytest

from ganface.io.atomic import atomic


@pytest.mark.parametrize("durable", [True, False])
def test_an_atomic_file_appears_whole_in_folders_made_for_it(tmp_path, durable):
    path = tmp_path / "a" / "b" / "file"
    with atomic(path, durable) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("durable", [True, False])
def test_only_a_durable_file_waits_for_the_disk(tmp_path, monkeypatch, durable):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with atomic(tmp_path / "file", durable) as file:
        file.write(b"x")
    assert bool(synced) == durable


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path, before, error, durable):
    path = tmp_path / "below" / "file"
    path.parent.mkdir()
    if before:
        path.write_bytes(before)

    def fail(file):
        file.write(b"new")
        raise error

    with pytest.raises(error), atomic(path, durable) as file:
        fail(file)
    left = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    assert left == ({"file": before} if before else {})
