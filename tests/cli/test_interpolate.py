"""`ganface interpolate`, as a user runs it."""

import itertools
import json
import sys

import pytest
from conftest import tree
from pictures_made import grid_pixels, pixels_of, size_of
from PIL import Image

from ganface.pictures.animation import read_animation_meta
from ganface.pictures.face_size import GAP
from ganface.pictures.png import read_png_meta

HEADER = 20  # pixels of a table's names above its columns


def animation(path):
    with Image.open(path) as image:
        times = []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            times.append(image.info["duration"])
        return image.size, times


def test_interpolate_writes_a_gif_and_a_strip_near_the_working_folder(tiny_run, invoke, home):
    name = "tiny-step-000012-walk-seeds-0-4"
    assert invoke("interpolate", tiny_run.path).done() == [f"{name}.gif", f"{name}.png"]
    size, times = animation(home / f"{name}.gif")
    assert size == (grid_pixels(1), grid_pixels(1))
    assert sum(times) == 50 * (4 * 24 + 1)
    meta = read_png_meta(home / f"{name}.png")
    assert (meta["kind"], meta["mode"], meta["seeds"]) == ("walk", "slerp", "0-4")
    assert read_animation_meta(home / f"{name}.gif") == meta
    (home / f"{name}.gif").unlink()  # the two keep one name
    again = [f"{name}-2.gif", f"{name}-2.png"]
    assert invoke("interpolate", tiny_run.path).done() == again


def test_interpolate_writes_every_kind_of_output_at_once(tiny_run, invoke, home):
    names = ("walk.gif", "walk.webp", "walk.png", "frames")
    options = ("--seeds", "1-3", "--frames", 4, "--fps", 10)
    outs = itertools.chain.from_iterable(("--out", name) for name in names)
    assert invoke("interpolate", tiny_run.path, *options, *outs).done() == list(names)
    for name in names[:2]:
        assert sum(animation(home / name)[1]) == 100 * 9
    assert size_of(home / "walk.png") == (grid_pixels(9) + GAP, HEADER + grid_pixels(1) + GAP)
    assert sorted(tree(home / "frames")) == [f"frame-{i:05d}.png" for i in range(9)]
    with Image.open(home / "walk.png") as strip:
        for index in range(9):
            with Image.open(home / "frames" / f"frame-{index:05d}.png") as frame:
                left = index * (64 + GAP)
                shown = strip.crop((left, HEADER, left + 64, HEADER + 64))
                assert shown.tobytes() == frame.convert("RGB").tobytes()


def test_a_walk_passes_the_faces_of_its_seeds(tiny_run, invoke, home):
    invoke("interpolate", tiny_run.path, "--seeds", "7,2", "--frames", 3, "--out", "frames").done()
    invoke("sample", tiny_run.path, "--images", "--seeds", "7,2", "--out", "faces").done()
    for frame, seed in ((0, 7), (3, 2)):
        walked = pixels_of(home / "frames" / f"frame-{frame:05d}.png")
        face = pixels_of(home / "faces" / f"seed-{seed:06d}.png")
        assert max(abs(a - b) for a, b in zip(walked, face, strict=True)) <= 1


def test_a_loop_leads_back_and_lerp_takes_another_way(tiny_run, invoke, home):
    options = ("--seeds", "1-3", "--frames", 4)
    invoke("interpolate", tiny_run.path, *options, "--loop", "--out", "loop").done()
    invoke("interpolate", tiny_run.path, *options, "--out", "slerp").done()
    invoke("interpolate", tiny_run.path, *options, "--mode", "lerp", "--out", "lerp").done()
    loop, slerp, lerp = (
        {name: pixels_of(home / kind / name) for name in tree(home / kind)}
        for kind in ("loop", "slerp", "lerp")
    )
    assert len(loop) == 12
    assert len(slerp) == len(lerp) == 9
    assert slerp["frame-00000.png"] == lerp["frame-00000.png"]
    assert slerp["frame-00002.png"] != lerp["frame-00002.png"]


def test_rows_share_out_the_seeds(tiny_run, invoke, home):
    options = ("--seeds", "0-5", "--rows", 2, "--frames", 3)
    invoke("interpolate", tiny_run.path, *options, "--out", "a.png", "--out", "a.gif").done()
    width, height = size_of(home / "a.png")
    assert width > grid_pixels(7)  # what the walks are called stands beside them
    assert height == HEADER + grid_pixels(2) + GAP
    assert animation(home / "a.gif")[0] == (grid_pixels(2), grid_pixels(1))


def test_dims_draw_a_row_for_each_entry_of_z(tiny_run, invoke, home):
    options = ("--dims", "0-1,7", "--frames", 4, "--range=-2,2")
    (line,) = invoke("interpolate", tiny_run.path, *options, "--json").done()
    result, name = json.loads(line), "tiny-step-000012-dims-0-1,7-seeds-0"
    assert result["out"] == [f"{name}.gif", f"{name}.png"]
    assert (result["dims"], result["range"], result["seeds"]) == ("0-1,7", [-2.0, 2.0], "0")
    width, height = size_of(home / f"{name}.png")
    assert width > grid_pixels(5) - GAP
    assert height > grid_pixels(3) - GAP
    assert read_png_meta(home / f"{name}.png")["kind"] == "dims"


def test_interpolate_writes_mp4_where_the_extra_is_there(tiny_run, invoke, home):
    pytest.importorskip("av")
    options = ("--seeds", "0-1", "--frames", 3, "--out", "walk.mp4")
    invoke("interpolate", tiny_run.path, *options).done()
    assert (home / "walk.mp4").read_bytes()[4:8] == b"ftyp"


def test_mp4_without_the_extra_is_refused_with_what_to_install(tiny_run, invoke, monkeypatch, home):
    monkeypatch.setitem(sys.modules, "av", None)
    options = ("--out", "walk.gif", "--out", "walk.mp4")
    line = invoke("interpolate", tiny_run.path, *options).refused()
    assert "pip install 'ganface[video]'" in line
    assert list(home.iterdir()) == []
