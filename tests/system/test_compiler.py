import ctypes
import sys

import pytest
import torch  # noqa: F401  its OpenMP is used

from ganface.system import compiler
from ganface.system.compiler import CannotCompile, compile_library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="compiles on Linux only")


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "add.c"
    path.write_text("int add(int a) { return a + MORE; }\n")
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setattr(compiler, "cache_folder", lambda: folder)
    return folder / "compiled"


def test_each_choice_of_macros_is_compiled_once_and_kept(source, cache, monkeypatch):
    assert compile_library(source, {"MORE": "1"}).add(ctypes.c_int(2)) == 3
    assert compile_library(source, {"MORE": "2"}).add(ctypes.c_int(2)) == 4
    assert len(list(cache.iterdir())) == 2
    monkeypatch.setattr(compiler.subprocess, "run", None)
    assert compile_library(source, {"MORE": "1"}).add(ctypes.c_int(5)) == 6


def test_another_processor_gets_another_library(source, cache, monkeypatch):
    compile_library(source, {"MORE": "1"})
    monkeypatch.setattr(compiler, "_processor", lambda: "another")
    compile_library(source, {"MORE": "1"})
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("compiler", ["/no/such/compiler", "false"])
def test_a_compiler_that_fails_leaves_nothing_behind(source, cache, monkeypatch, compiler):
    monkeypatch.setenv("CC", compiler)
    with pytest.raises(CannotCompile, match=compiler):
        compile_library(source, {"MORE": "1"})
    assert not list(cache.iterdir())


def test_the_compiler_s_own_words_are_passed_on(source):
    source.write_text("int add(")
    with pytest.raises(CannotCompile, match=r"add\.c:1"):
        compile_library(source, {})


def test_no_compiler_is_said(source, monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(compiler.shutil, "which", lambda _: None)
    with pytest.raises(CannotCompile, match="no C compiler"):
        compile_library(source, {"MORE": "1"})


def test_a_damaged_library_is_made_anew(source, cache):
    compile_library(source, {"MORE": "1"})
    (library,) = cache.iterdir()
    library.unlink()
    library.write_bytes(b"half of it")
    assert compile_library(source, {"MORE": "1"}).add(ctypes.c_int(1)) == 2
