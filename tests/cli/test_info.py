"""`ganface info`, as a user runs it."""

import json
import sys

import pytest

from ganface.io.tensors import read_header


@pytest.mark.parametrize(
    ("name", "kind", "facts"),
    [
        ("pack", "pack", {"images": 100, "size": 32, "crop": "center"}),
        ("checkpoint", "checkpoint", {"step": 12, "precision": "fp32"}),
        ("snapshot", "snapshot", {"step": 4, "images_seen": 32}),
        ("grid", "grid", {"step": 4, "seeds": "0-8"}),
        ("run", "run", {"step": 12, "steps": 12, "images": 100, "method": "gan"}),
    ],
)
def test_info_says_what_a_file_holds(made, invoke, name, kind, facts):
    (line,) = invoke("info", made[name], "--json").done()
    result = json.loads(line)
    assert result["kind"] == kind
    assert facts.items() <= result.items()
    assert f"kind: {kind}" in invoke("info", made[name]).done()


def test_info_says_what_moving_pictures_show(tiny_run, invoke):
    meta = {"seeds": "1,2", "step": 12, "snapshot": read_header(tiny_run.generator).meta["sha256"]}
    for name in ("walk.gif", "walk.webp"):
        options = ("--seeds", "1,2", "--frames", 3, "--out", name)
        invoke("interpolate", tiny_run.path, *options).done()
        (line,) = invoke("info", name, "--json").done()
        assert {"kind": "walk", "scale": 2, **meta}.items() <= json.loads(line).items()
    lines = invoke("info", tiny_run.timeline_gif).done()
    assert "steps: [4, 8, 12]" in lines


def test_info_of_an_mp4_needs_the_extra(invoke, monkeypatch, home):
    (home / "walk.mp4").write_bytes(b"mine")
    monkeypatch.setitem(sys.modules, "av", None)
    assert "pip install 'ganface[video]'" in invoke("info", "walk.mp4").refused()


def test_info_sums_up_a_run_in_lines(tiny_run, invoke):
    lines = dict(line.split(": ", 1) for line in invoke("info", tiny_run.path).done())
    assert lines["data"].startswith("100 images of 32 × 32, ")
    assert lines["steps"] == "12 of 12"
    assert lines["snapshots"] == "4, 8, 12"
    assert "--width 4 --z-dim 8" in lines["settings"]
    assert lines["time"].startswith("0:0")
    assert lines["verdict"] == "too early to tell"
    assert "best" not in lines  # nothing was scored


@pytest.mark.parametrize("name", ["pack", "checkpoint", "snapshot", "grid"])
def test_info_finds_a_flipped_bit_in_the_middle_of_a_file(made, tmp_path, invoke, name):
    path = tmp_path / made[name].name
    data = bytearray(made[name].read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert str(path) in invoke("info", path).refused()
