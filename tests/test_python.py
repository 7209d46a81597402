"""`import ganface`, and docs/python.md."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from conftest import dcgan

import ganface
from ganface.models.dcgan import Generator
from ganface.models.snapshot import save_snapshot

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text("utf-8")


def test_the_example_prints_what_the_page_says(home, capsys):
    G = Generator(dcgan(64, 100, 4))
    G.initialise(torch.Generator().manual_seed(0))
    model = home / "runs" / "faces" / "generator.safetensors"
    tensors = {f"G.{name}": tensor for name, tensor in G.state_dict().items()}
    save_snapshot(model, tensors, G.config, 1, 64)
    example, output = re.findall(r"```(?:python)?\n(.+?)```", PAGE, re.DOTALL)
    exec(example, {})
    assert capsys.readouterr().out == output
    assert {path.name for path in home.glob("*.png")} == {"faces.png", "walk.png"}


def test_every_function_that_the_page_names_is_there():
    names = re.findall(r"`(ganface\.[\w.]+)\.(\w+)`", PAGE)
    assert len(names) >= 12
    assert [name for name in names if not hasattr(import_module(name[0]), name[1])] == []
    short = {*re.findall(r"`(\w+)\([a-zG][^`]*\)`", PAGE)}
    assert short == {*ganface._HOMES}
    assert all(callable(getattr(ganface, name)) for name in short)


def test_importing_ganface_loads_nothing_else():
    code = "import sys, ganface; sys.exit(str({'torch', 'PIL', 'numpy'} & {*sys.modules}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stderr.strip() == "set()"


def test_a_name_that_is_not_there_is_told_as_python_does():
    with pytest.raises(AttributeError, match="module 'ganface' has no attribute 'nothing'"):
        ganface.nothing  # noqa: B018
