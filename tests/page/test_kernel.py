from importlib.resources import files

import pytest

wasmtime = pytest.importorskip("wasmtime")


def test_the_kernel_is_what_its_source_says():
    page = files("ganface.page")
    source = page.joinpath("kernel.wat").read_text("utf-8")
    assert bytes(wasmtime.wat2wasm(source)) == page.joinpath("kernel.wasm").read_bytes()
