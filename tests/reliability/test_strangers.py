"""Snapshots that a stranger made: refused in one line, from the header alone, and never run."""

import ast
import json
import os
import pickle
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from processes import in_one

import ganface
from ganface.io.run import read_config, write_config
from ganface.io.tensors import BLANK_DIGEST, METADATA_KEY, read_tensors, seal, write_tensors
from ganface.models.registry import build_network, read_description
from ganface.pictures.grid import to_pil

WATCH = Path(__file__).parents[1] / "watch.py"
GENERATOR = {"architecture": "dcgan", "size": 32, "z_dim": 2, "width": 1}
META = {"kind": "snapshot", "version": 1, "step": 5, "images_seen": 40, "generator": GENERATOR}


def tensors_of(described):
    """The tensors of that generator, as a header tells them."""
    listed, end = {}, 0
    with torch.device("meta"):
        state = build_network("G", read_description(described)).state_dict()
    for name, tensor in state.items():
        shape, count = tuple(tensor.shape), tensor.nbytes
        dtype = "F32" if shape else "I64"
        listed[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + count]}
        end += count
    return listed, end


def forge(path, meta=META, tensors=None, length=None):
    """A file with that header and a right checksum, so that only its content tells against it.

    `length`: of its body, which is sparse; as long as the header says if not given.
    """
    whole, end = tensors_of(GENERATOR)
    tensors = whole if tensors is None else tensors
    text = json.dumps({**meta, "sha256": BLANK_DIGEST})
    header = json.dumps({"__metadata__": {METADATA_KEY: text}, **tensors}).encode()
    raw = struct.pack("<Q", len(header)) + header
    length = end if length is None else length
    if length < 2**20:
        raw, _ = seal(raw, bytes(length))
    with open(path, "wb") as file:
        file.write(raw)
        file.truncate(len(raw) + length)
    return path


def changed(**generator):
    return {"meta": {**META, "generator": {**GENERATOR, **generator}}}


def reshaped(**tensor):
    whole, _ = tensors_of(GENERATOR)
    return {"tensors": {**whole, "layers.0.weight": {**whole["layers.0.weight"], **tensor}}}


HUGE, HUGE_END = tensors_of({**GENERATOR, "z_dim": 65_536, "width": 1024})
CASES = {
    "no generator": {"meta": {**META, "generator": None}},
    "a text for a generator": {"meta": {**META, "generator": "dcgan"}},
    "another architecture": changed(architecture="stylegan9"),
    "an architecture to be imported": changed(architecture="os.system"),
    "another width": changed(width=2),
    "a huge width": changed(width=10**9),
    "a negative width": changed(width=-1),
    "width as text": changed(width="64"),
    "width as list": changed(width=[64]),
    "width true": changed(width=True),
    "width not a number": changed(width=float("nan")),
    "another size": changed(size=64),
    "size as a fraction": changed(size=32.0),
    "pairs for a generator": {"meta": {**META, "generator": [*GENERATOR.items()]}},
    "a size that is none": changed(size=10**6),
    "an argument that is none": changed(device="cuda"),
    "upsample as list": changed(upsample=["nearest"]),
    "upsample unknown": changed(upsample="exec"),
    "step as text": {"meta": {**META, "step": "1; DROP TABLE"}},
    "step negative": {"meta": {**META, "step": -1}},
    "version as text": {"meta": {**META, "version": "1"}},
    "version of the future": {"meta": {**META, "version": 10**9}},
    "kind as list": {"meta": {**META, "kind": ["snapshot"]}},
    "kind unknown": {"meta": {**META, "kind": "program"}},
    "metadata a list": {"meta": dict(enumerate(range(3)))},
    "no tensors": {"tensors": {}, "length": 0},
    "a shape of too many": reshaped(shape=[1] * 10_000),
    "a shape that does not fit": reshaped(shape=[3, 3]),
    "a shape turned round": reshaped(shape=[2, 4, 4, 4][::-1]),
    "a huge shape": reshaped(shape=[2**40, 2**40]),
    "offsets that overlap": reshaped(data_offsets=[4, 516]),
    "a dtype that is none": reshaped(dtype="PICKLE"),
    "another dtype": reshaped(dtype="I32"),
    "huge sizes, in a file that has them not": {"tensors": HUGE},
    "a huge network, rightly told, in a sparse file": {
        **changed(z_dim=65_536, width=1024),
        "tensors": HUGE,
        "length": HUGE_END,
    },
    "a sparse file of a terabyte": {"length": 2**40},
}


# Refused by what PyTorch says that the network's tensors are
SHAPES = ("another width", "another size", "no tensors", "a shape that does not fit")
SHAPES += ("a shape turned round", "another dtype")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("command", ["sample", "interpolate", "info", "evaluate"])
def test_it_is_refused_in_one_line_from_its_header_alone(
    faces, tmp_path, home, invoke, monkeypatch, case, command
):
    if command == "info" and case in SHAPES:
        pytest.skip("info builds no network")
    path = forge(tmp_path / "stranger.safetensors", **CASES[case])
    monkeypatch.setattr(
        "ganface.models.snapshot.read_tensors", None
    )  # nothing but the header is read
    more = [faces] if command == "evaluate" else []
    line = invoke(command, path, *more).refused()
    assert str(path) in line
    assert not any(home.iterdir())


def test_a_whole_file_of_this_kind_is_not_refused(tmp_path, invoke):
    path = forge(tmp_path / "stranger.safetensors")
    assert invoke("sample", path, "--seeds", "0").code == 0


def test_weights_that_are_not_numbers_draw_nothing(tiny_run, tmp_path, home, invoke):
    meta, tensors = read_tensors(tiny_run.generator, "snapshot")
    tensors["G.layers.0.weight"][0] = torch.nan
    path = tmp_path / "nan.safetensors"
    write_tensors(path, "snapshot", tensors, meta)
    assert "not a number" in invoke("sample", path).refused()
    assert not any(home.iterdir())


class Trap:
    def __reduce__(self):
        return os.mkdir, ("sprung",)


def test_a_process_refuses_each_without_pytorch_and_in_time(tmp_path, monkeypatch, tries, figure):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    forged = [case for name, case in CASES.items() if name not in SHAPES]
    paths = [forge(tmp_path / f"{i}.safetensors", **case) for i, case in enumerate(forged)]
    for name, data in {
        "pickle": pickle.dumps(Trap()),
        "program": b"#!/bin/sh\nmkdir sprung\n",
        "zip": b"PK\3\4" + bytes(100),
    }.items():
        paths.append(tmp_path / f"{name}.safetensors")
        paths[-1].write_bytes(data)
    torch.save({"G": Trap()}, tmp_path / "torch.safetensors")
    paths.append(tmp_path / "torch.safetensors")
    slowest, log = 0.0, tmp_path / "log.json"
    for path in paths[-5:] + [paths[i] for i in tries(0, len(paths) - 5)]:
        began = time.monotonic()
        command = [sys.executable, WATCH, log, *in_one([("sample", path)])]
        done = subprocess.run(command, capture_output=True, text=True)
        slowest = max(slowest, time.monotonic() - began)
        assert done.returncode == 2
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        seen = json.loads(log.read_text())
        assert not seen["torch"]
        assert seen["pickle.find_class"] == []
        assert set(seen["written"]) <= {os.devnull}
    assert not Path("sprung").exists()
    figure(f"the slowest of {len(tries(0, len(paths) - 5)) + 5} took {slowest:.2f} s")


def test_what_is_loaded_in_the_end_unpickles_nothing(tiny_run, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    log = tmp_path / "log.json"
    commands = [
        ("sample", path, "--seeds", "0", "--device", "cpu", "--out", f"{number}.png")
        for number, path in enumerate((tiny_run.generator, tiny_run.checkpoint(12)))
    ]
    command = [sys.executable, WATCH, log, *in_one(commands)]
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert json.loads(log.read_text())["pickle.find_class"] == []
    assert len(list(Path().iterdir())) == 2


LOADERS = {"pickle", "cPickle", "dill", "marshal", "shelve", "joblib", "runpy", "yaml"}
BANNED = {"eval", "exec", "compile", "__import__", "torch.load", "numpy.load", "np.load"}
BANNED |= {"importlib.import_module", "torch.jit.load", "torch.hub.load", "os.system"}


def test_no_line_of_the_package_unpickles_or_executes_a_file():
    """What is compiled is our own C. Inception's weights are read by torch-fidelity, which is made
    to take tensors alone: see tests/evaluation/test_fidelity.py."""
    found = set()
    for path in Path(ganface.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in LOADERS:
                found.add((path.name, node.module))
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name in BANNED or name.partition(".")[0] in LOADERS:
                    found.add((path.name, name))
    assert found == set()


def test_what_info_prints_of_a_stranger_s_file_does_nothing_to_the_terminal(tmp_path, invoke):
    escape = {**META, "note": "\x1b]0;owned\x07\x1b[2J\nfake: line", "\x1b[31m": 1}
    lines = invoke("info", forge(tmp_path / "x.safetensors", escape)).done()
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("fake") for line in lines)


def test_a_run_directory_of_a_stranger_is_refused_in_one_line(run_copy, pack_file, invoke):
    config = read_config(run_copy)
    for path in run_copy.checkpoints().values():
        path.unlink()  # whose settings would be taken in place of damaged ones
    texts = ["[]", "7", '{"train": 1}', "[" * 10_000, '{"sha256": 1}', json.dumps(config)]
    for change in ({"width": "64"}, {"steps": 10**9, "lr": None}, {"no": 1}, {"batch_size": [8]}):
        write_config(run_copy, {**config, "train": {**config["train"], **change}})
        texts.append(run_copy.config.read_text())
    for text in texts:
        run_copy.config.write_text(text)
        line = invoke("train", pack_file, "--out", run_copy.path, "--resume").refused()
        assert str(run_copy.config) in line


def test_pictures_with_odd_metadata_are_told_or_refused(tmp_path, invoke):
    from PIL import PngImagePlugin

    for number, text in enumerate(["[" * 100_000, "null", "7", '{"kind": ["snapshot"]}', "{"]):
        info = PngImagePlugin.PngInfo()
        info.add_text(METADATA_KEY, text)
        path = tmp_path / f"{number}.png"
        to_pil(torch.zeros(3, 8, 8, dtype=torch.uint8)).save(path, pnginfo=info)
        assert invoke("info", path).code == (0 if "kind" in text else 2)
