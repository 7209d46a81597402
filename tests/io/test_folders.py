import os

import pytest

from ganface.errors import UserError
from ganface.io.folders import cache_folder, check_writable


def test_the_cache_lies_in_the_user_s_own_folder(tmp_path):
    folder = cache_folder()
    assert folder.name == "ganface"
    assert tmp_path / "home" in folder.parents


def test_an_own_folder_will_do_below_one_that_is_not_to_be_written_to(tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setattr(os, "access", lambda path, _: path == own)
    check_writable(own)
    check_writable(own / "run" / "file")
    with pytest.raises(UserError, match=f"no permission for {tmp_path}"):
        check_writable(tmp_path / "other")
