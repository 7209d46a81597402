"""The commands as a user runs them: what they write and say, and what they refuse."""

import itertools
import json
import os
import shlex
import shutil
import struct
import subprocess
import sys
import zlib

import pytest
from conftest import TINY, TINY_STEPS, draw_folder, tree
from PIL import Image

from ganface import __version__
from ganface.io.files import append
from ganface.pictures.grid import GAP, cut
from ganface.pictures.png import read_png_meta

FEW = (*TINY, "--steps", 2)


def grid_pixels(count):
    return count * (32 + GAP) + GAP


def size_of(path):
    with Image.open(path) as image:
        return image.size


def pixels_of(path):
    with Image.open(path) as image:
        return image.convert("RGB").tobytes()


# ---------------------------------------------------------------------------- dataset


def test_dataset_build_writes_a_pack_and_a_report_and_names_both(faces, tmp_path, invoke):
    out = tmp_path / "deep" / "er" / "faces.safetensors"
    result = invoke("dataset", "build", faces, out, "--size", 16)
    assert result.done() == [str(out), str(out.with_suffix(".report.json"))]
    assert set(tree(out.parent)) == {"faces.safetensors", "faces.report.json"}
    assert "used" in result.err


def test_dataset_build_says_on_stderr_what_was_left_out(tmp_path, invoke):
    source = draw_folder(tmp_path / "source", range(4))
    (source / "notes.txt").write_text("x")
    result = invoke("dataset", "build", source, tmp_path / "pack", "--size", 16, "--json")
    (line,) = result.done()
    assert json.loads(line)["images"] == 4
    assert json.loads(line)["left_out"] == {"no image by its name": 1}
    assert "left out: no image by its name" in result.err


def test_dataset_build_dry_run_writes_nothing(faces, tmp_path, invoke, home):
    before = tree(tmp_path)
    (line,) = invoke("dataset", "build", faces, "pack", "--dry-run", "--json").done()
    assert json.loads(line) == {"images": 100, "left_out": 0}
    assert tree(tmp_path) == before
    assert list(home.iterdir()) == []


def test_dataset_build_fails_where_too_much_is_bad_and_leaves_nothing(tmp_path, invoke, home):
    source = draw_folder(tmp_path / "source", range(3))
    (source / "bad.jpg").write_text("x")
    line = invoke("dataset", "build", source, "pack.safetensors").failed()
    assert "bad.jpg (not an image of a known format)" in line
    assert list(home.iterdir()) == []


def test_dataset_demo_draws_faces_to_train_on(tmp_path, invoke):
    out = tmp_path / "drawn"
    (line,) = invoke("dataset", "demo", out, "--count", 9, "--size", 32, "--json").done()
    assert json.loads(line)["images"] == 9
    assert len(list(out.glob("*.png"))) == 9
    invoke("train", out, "--out", tmp_path / "run", *FEW).done()


# ---------------------------------------------------------------------------- train


@pytest.fixture(params=["folder", "zip", "pack"])
def data(request, faces, pack_file, tmp_path):
    if request.param == "zip":
        import zipfile

        with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
            for name, content in tree(faces).items():
                archive.writestr(name, content)
        return tmp_path / "faces.zip"
    return {"folder": faces, "pack": pack_file}[request.param]


def test_train_takes_a_folder_a_zip_and_a_pack_alike(data, pack_file, tmp_path, invoke, home):
    result = invoke("train", data, *FEW)
    run = home / "runs" / "faces"
    assert result.done() == [
        str((run / name).relative_to(home))
        for name in ("timeline.png", "timeline.gif", "generator.safetensors")
    ]
    packs = list((tmp_path / "home").rglob("*.safetensors"))
    assert [pack.read_bytes() for pack in packs] == (
        [] if data == pack_file else [pack_file.read_bytes()]
    )
    again = invoke("train", data, *FEW, "--out", "again")
    assert again.code == 0
    assert "used" not in again.err  # nothing was ingested a second time
    assert (home / "again/generator.safetensors").read_bytes() == (
        run / "generator.safetensors"
    ).read_bytes()


def test_train_prints_one_json_object_and_keeps_its_packs_where_told(faces, tmp_path, invoke, home):
    cache = tmp_path / "cache"
    (line,) = invoke("train", faces, "--out", "run", *FEW, "--json", "--cache", cache).done()
    result = json.loads(line)
    assert result["step"] == 2
    assert all((home / result[key]).is_file() for key in ("timeline", "timeline_gif", "generator"))
    assert len(list(cache.glob("*.safetensors"))) == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_train_dry_run_tells_the_plan_and_writes_nothing(faces, tmp_path, invoke, as_json):
    flags = ["--json"] if as_json else []
    result = invoke("train", faces, *TINY, "--dry-run", *flags)
    assert "100" in result.out
    if as_json:
        plan = json.loads(result.out)
        assert plan["train"]["width"] == 4
        assert plan["build"]["size"] == 32
    else:
        assert result.out.splitlines()[-1] == "nothing written"
    assert result.code == 0
    assert tree(tmp_path) == {}


def test_train_off_a_terminal_reports_in_plain_lines_without_colours(pack_file, invoke):
    result = invoke("train", pack_file, *TINY, "--steps", 10)
    assert "step 10/10 (100.0%)" in result.err
    assert "\x1b" not in result.err
    assert "\r" not in result.err


# ---------------------------------------------------------------------------- sample


def test_sample_draws_64_faces_near_the_working_folder(tiny_run, invoke, home):
    assert invoke("sample", tiny_run.path).done() == ["tiny-faces.png"]
    assert size_of(home / "tiny-faces.png") == (grid_pixels(8), grid_pixels(8))
    meta = read_png_meta(home / "tiny-faces.png")
    assert (meta["kind"], meta["seeds"], meta["step"]) == ("grid", "0-63", TINY_STEPS)
    assert invoke("sample", tiny_run.path).done() == ["tiny-faces-2.png"]


def test_sample_of_a_milestone_is_the_grid_of_that_milestone(tiny_run, invoke, home):
    for step in (4, 8):
        options = ("--step", step, "--seeds", "0-8", "--out", f"{step}.png")
        invoke("sample", tiny_run.path, *options).done()
        assert pixels_of(home / f"{step}.png") == pixels_of(tiny_run.grid(step))
        made_by = read_png_meta(home / f"{step}.png")
        assert made_by["snapshot"] == read_png_meta(tiny_run.grid(step))["snapshot"]


def test_sample_takes_a_run_a_snapshot_and_a_checkpoint(tiny_run, invoke, home):
    models = tiny_run.path, tiny_run.generator, tiny_run.checkpoint(TINY_STEPS)
    for number, model in enumerate(models):
        invoke("sample", model, "--seeds", "0-8", "--out", f"{number}.png").done()
        assert pixels_of(home / f"{number}.png") == pixels_of(tiny_run.latest)


def test_sample_images_writes_a_file_for_each_seed_named_by_it(tiny_run, invoke, home):
    result = invoke("sample", tiny_run.path, "--images", "--seeds", "3,0-1,1234567", "--json")
    (line,) = result.done()
    names = {f"seed-{seed}.png" for seed in ("000000", "000001", "000003", "1234567")}
    assert set(tree(home / "tiny-faces")) == names
    assert {os.path.basename(file) for file in json.loads(line)["files"]} == names
    assert size_of(home / "tiny-faces" / "seed-000003.png") == (32, 32)
    assert read_png_meta(home / "tiny-faces" / "seed-000003.png")["seeds"] == "3"


def test_sample_draws_a_seed_s_face_the_same_alone_and_in_a_grid(tiny_run, invoke, home):
    options = ("--grid", "--images", "--seeds", "0-8", "--out", "both")
    invoke("sample", tiny_run.path, *options).done()
    assert len(tree(home / "both")) == 10
    with Image.open(home / "both" / "grid.png") as sheet:
        for seed in range(9):
            face = pixels_of(home / "both" / f"seed-{seed:06d}.png")
            assert cut(sheet, seed, 3).tobytes() == face
    invoke("sample", tiny_run.path, "--images", "--seeds", "5", "--out", "alone").done()
    alone = pixels_of(home / "alone" / "seed-000005.png")
    together = pixels_of(home / "both" / "seed-000005.png")
    assert max(abs(a - b) for a, b in zip(alone, together, strict=True)) <= 1


def test_sample_writes_a_face_that_is_named_twice_once(tiny_run, invoke, home):
    options = ("--images", "--seeds", "2,0-3,0-70", "--out", "faces", "--json")
    (line,) = invoke("sample", tiny_run.path, *options).done()
    names = [os.path.basename(file) for file in json.loads(line)["files"]]
    assert sorted(names) == [f"seed-{seed:06d}.png" for seed in range(71)]
    assert set(tree(home / "faces")) == set(names)


def test_best_is_the_snapshot_of_the_best_score(run_copy, invoke, home):
    shutil.copy(run_copy.snapshot(4), run_copy.best)
    for name, option in (("best", ("--best",)), ("four", ("--step", 4))):
        invoke("sample", run_copy.path, *option, "--out", f"{name}.png").done()
        invoke("interpolate", run_copy.path, *option, "--out", f"{name}-walk.png").done()
    assert (home / "best.png").read_bytes() == (home / "four.png").read_bytes()
    assert (home / "best-walk.png").read_bytes() == (home / "four-walk.png").read_bytes()


def test_a_latest_much_worse_than_the_best_is_remarked_on(run_copy, invoke):
    for score in (10.0, 30.0):
        append(run_copy.stats, json.dumps({"step": 12, "score": score}) + "\n")
    for command in (("sample", run_copy.path), ("interpolate", run_copy.path)):
        assert "the latest scores 30.0, step 12 scored 10.0" in invoke(*command).err
    assert "scores" not in invoke("sample", run_copy.path, "--step", 4).err


@pytest.mark.parametrize("options", [("--images", "--out", "empty"), ("--out", "new/grid.png")])
def test_sample_fills_an_empty_folder_and_makes_missing_ones(tiny_run, invoke, home, options):
    (home / "empty").mkdir()
    invoke("sample", tiny_run.path, "--seeds", "0-3", *options).done()
    assert len(tree(home)) == (4 if "--images" in options else 1)


# ---------------------------------------------------------------------------- interpolate


def animation(path):
    with Image.open(path) as image:
        times = []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            times.append(image.info["duration"])
        return image.size, times


def test_interpolate_writes_a_gif_and_a_strip_near_the_working_folder(tiny_run, invoke, home):
    assert invoke("interpolate", tiny_run.path).done() == ["tiny-walk.gif", "tiny-walk.png"]
    size, times = animation(home / "tiny-walk.gif")
    assert size == (grid_pixels(1), grid_pixels(1))
    assert sum(times) == 50 * (4 * 24 + 1)
    meta = read_png_meta(home / "tiny-walk.png")
    assert (meta["kind"], meta["mode"], meta["seeds"]) == ("walk", "slerp", "0-4")


def test_interpolate_writes_every_kind_of_output_at_once(tiny_run, invoke, home):
    names = ("walk.gif", "walk.webp", "walk.png", "frames")
    options = ("--seeds", "1-3", "--frames", 4, "--fps", 10)
    outs = itertools.chain.from_iterable(("--out", name) for name in names)
    assert invoke("interpolate", tiny_run.path, *options, *outs).done() == list(names)
    for name in names[:2]:
        assert sum(animation(home / name)[1]) == 100 * 9
    assert size_of(home / "walk.png") == (grid_pixels(9), grid_pixels(1))
    assert sorted(tree(home / "frames")) == [f"frame-{i:05d}.png" for i in range(9)]
    with Image.open(home / "walk.png") as strip:
        for index in range(9):
            with Image.open(home / "frames" / f"frame-{index:05d}.png") as frame:
                assert cut(strip, index, 9).tobytes() == cut(frame, 0, 1).tobytes()


def test_a_walk_passes_the_faces_of_its_seeds(tiny_run, invoke, home):
    invoke("interpolate", tiny_run.path, "--seeds", "7,2", "--frames", 3, "--out", "frames").done()
    invoke("sample", tiny_run.path, "--images", "--seeds", "7,2", "--out", "faces").done()
    for frame, seed in ((0, 7), (3, 2)):
        with Image.open(home / "frames" / f"frame-{frame:05d}.png") as picture:
            walked = cut(picture, 0, 1).tobytes()
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
    assert size_of(home / "a.png") == (grid_pixels(7), grid_pixels(2))
    assert animation(home / "a.gif")[0] == (grid_pixels(2), grid_pixels(1))


def test_dims_draw_a_row_for_each_entry_of_z(tiny_run, invoke, home):
    options = ("--dims", "0-1,7", "--frames", 4, "--range=-2,2")
    (line,) = invoke("interpolate", tiny_run.path, *options, "--json").done()
    result = json.loads(line)
    assert result["out"] == ["tiny-dims.gif", "tiny-dims.png"]
    assert (result["dims"], result["range"], result["seeds"]) == ("0-1,7", [-2.0, 2.0], "0")
    width, height = size_of(home / "tiny-dims.png")
    assert width > grid_pixels(5) - GAP
    assert height > grid_pixels(3) - GAP
    assert read_png_meta(home / "tiny-dims.png")["kind"] == "dims"


def test_interpolate_writes_mp4_where_the_extra_is_there(tiny_run, invoke, home):
    pytest.importorskip("av")
    options = ("--seeds", "0-1", "--frames", 3, "--out", "walk.mp4")
    invoke("interpolate", tiny_run.path, *options).done()
    assert (home / "walk.mp4").read_bytes()[4:8] == b"ftyp"


# ---------------------------------------------------------------------------- info


@pytest.fixture
def made(tiny_run, pack_file):
    """One file of each kind, and a run."""
    return {
        "pack": pack_file,
        "checkpoint": tiny_run.checkpoint(TINY_STEPS),
        "snapshot": tiny_run.snapshot(4),
        "grid": tiny_run.grid(4),
        "run": tiny_run.path,
    }


@pytest.mark.parametrize(
    ("name", "kind", "facts"),
    [
        ("pack", "pack", {"images": 100, "size": 32, "crop": "center"}),
        ("checkpoint", "checkpoint", {"step": 12, "precision": "fp32"}),
        ("snapshot", "snapshot", {"step": 4, "images_seen": 32}),
        ("grid", "grid", {"step": 4, "seeds": "0-8"}),
        ("run", "snapshot", {"step": 12}),
    ],
)
def test_info_says_what_a_file_holds(made, invoke, name, kind, facts):
    (line,) = invoke("info", made[name], "--json").done()
    result = json.loads(line)
    assert result["kind"] == kind
    assert facts.items() <= result.items()
    assert f"kind: {kind}" in invoke("info", made[name]).done()


@pytest.mark.parametrize("name", ["pack", "checkpoint", "snapshot", "grid"])
def test_info_finds_a_flipped_bit_in_the_middle_of_a_file(made, tmp_path, invoke, name):
    path = tmp_path / made[name].name
    data = bytearray(made[name].read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert str(path) in invoke("info", path).refused()


def run_without_torch(commands, code):
    """Run commands in one process, which fails if one of them ends otherwise or loads torch."""
    script = (
        "import sys, json\n"
        "from ganface.cli.main import main\n"
        "for command in json.loads(sys.argv[1]):\n"
        "    sys.argv[1:] = command\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        f"        assert end.code == {code}, command\n"
        "    assert 'torch' not in sys.modules, command\n"
    )
    words = [sys.executable, "-c", script, json.dumps(commands)]
    result = subprocess.run(words, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()


def test_help_info_and_plot_need_no_torch(made, tiny_run):
    commands = [["--help"], ["--version"], ["plot", str(tiny_run.path)]]
    commands += [[*name.split(), "--help"] for name in ("train", "sample", "dataset build")]
    commands += [["info", str(path)] for path in made.values()]
    run_without_torch(commands, code=0)


# ---------------------------------------------------------------------------- what is refused


def huge_png():
    """A PNG that claims 30,000 × 30,000 pixels and holds none."""
    body = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body
    return start + struct.pack(">I", zlib.crc32(body)) + struct.pack(">I", 0) + b"IDAT"


@pytest.fixture
def place(home, tiny_run, pack_file, faces):
    """The working folder with things in it that get in the way of commands."""
    (home / "empty").mkdir()
    draw_folder(home / "few", range(5))
    (home / "docs").mkdir()
    (home / "docs" / "notes.txt").write_text("mine")
    (home / "file.txt").write_text("mine")
    (home / "old.png").write_bytes(b"mine")
    (home / "huge.png").write_bytes(huge_png())
    (home / "foreign.png").write_bytes((faces / "000.png").read_bytes())
    (home / "cut.safetensors").write_bytes(tiny_run.generator.read_bytes()[:-50])
    (home / "cut.zip").write_bytes(b"PK\3\4 and the rest was not downloaded")
    (home / "run").symlink_to(tiny_run.path, target_is_directory=True)
    (home / "pack").symlink_to(pack_file)
    (home / "faces").symlink_to(faces, target_is_directory=True)
    return home


REFUSED = """
    train nothing                               | nothing: there is no such file or folder
    train nothing --dry-run                     | nothing: there is no such file or folder
    train empty                                 | empty: no image in it; it is empty
    train docs                                  | docs: no image in it; found 1 × .txt
    train file.txt                              | file.txt: not a pack
    train cut.safetensors                       | cut.safetensors: a snapshot, where a pack
    train cut.zip                               | cut.zip: the zip is cut off or damaged
    train few --dry-run                         | few: 5 images, fewer than --batch-size 64
    train few                                   | few: 5 images, fewer than --batch-size 64
    train faces --size 48                       | --size 48
    train pack --size 64                        | --size was 32, now 64
    train faces --seeds 5-1                     | --seeds 5-1: the range 5-1 runs backwards
    train faces --milestones 0                  | --milestones 0
    train faces --batch-size 1                  | --batch-size 1: must be at least 2
    train faces --steps many                    | '--steps'
    train faces --lr nan                        | --lr nan
    train faces --background notacolour         | --background notacolour: is no colour
    train faces --precision fp16 --device cpu   | --precision fp16: not on cpu
    train faces --crop middle                   | '--crop'
    train faces --out docs                      | docs: exists and is no run directory
    train faces --out file.txt                  | file.txt: exists and is no run directory
    train faces --out file.txt/run              | file.txt/run: cannot be written
    train faces --out run                       | run: holds a run already; add --resume
    train faces --nonsense                      | --nonsense
    train                                       | DATA
    nonsense                                    | nonsense
    dataset build nothing new                   | nothing: there is no such file or folder
    dataset build cut.zip new                   | cut.zip: the zip is cut off or damaged
    dataset build faces old.png                 | old.png: exists already
    dataset build faces docs                    | docs: exists already
    dataset build faces empty                   | empty
    dataset build faces file.txt/pack           | file.txt/pack: cannot be written
    dataset build faces new --size 4            | --size 4: must lie between 8 and 1024
    dataset build faces new --max-bad 101       | --max-bad 101
    dataset build faces new --workers 0         | '--workers'
    dataset demo docs                           | docs: exists already
    dataset demo new --count 0                  | '--count'
    sample nothing                              | nothing: there is no such file or run
    sample docs                                 | docs: not a run directory
    sample file.txt                             | file.txt: not a pack, checkpoint or snapshot
    sample cut.safetensors                      | cut.safetensors: damaged
    sample pack                                 | pack: a pack, where a snapshot or checkpoint
    sample run --step 5                         | --step 5: run has no snapshot of it
    sample pack --step 5                        | --step 5: pack is one file
    sample run --seeds 5-1                      | --seeds 5-1: the range 5-1 runs backwards
    sample run --seeds ''                       | --seeds
    sample run --best                           | --best: run has no score yet
    sample run --best --step 4                  | --step 4: does not go with --best
    sample pack --best                          | --best: pack is one file
    evaluate run pack --best --all-steps        | --best: run has no score yet
    sample run --out old.png                    | old.png: exists already
    sample run --out new.jpg                    | --out new.jpg
    sample run --images --out docs              | docs: exists already
    sample run --images --out file.txt          | file.txt: exists already
    sample run --images --out file.txt/faces    | file.txt/faces: cannot be written
    sample run --out file.txt/grid.png          | file.txt/grid.png: cannot be written
    sample run --device cuda                    | --device cuda: PyTorch sees no such GPU
    interpolate nothing                         | nothing: there is no such file or run
    interpolate run --seeds 1                   | --seeds 1
    interpolate run --seeds 0-4 --rows 2        | --seeds 0-4
    interpolate run --dims 8                    | --dims 8: z has 8 entries, 0 to 7
    interpolate run --dims x                    | --dims x
    interpolate run --dims 0 --seeds 0-1        | --seeds 0-1: --dims holds one face
    interpolate run --dims 0 --rows 2           | --dims
    interpolate run --dims 0 --range 3          | --range 3: write two numbers
    interpolate run --dims 0 --range 3,-3       | --range 3,-3: must rise
    interpolate run --dims 0 --range nan,1      | --range nan,1
    interpolate run --frames 1                  | '--frames'
    interpolate run --mode circle               | '--mode'
    interpolate run --out old.png               | old.png: exists already
    interpolate run --out new.avi               | --out new.avi: the name must end in
    interpolate run --out file.txt/walk.gif     | file.txt/walk.gif: cannot be written
    info nothing                                | nothing: there is no such file or run
    info file.txt                               | file.txt: not a pack, checkpoint or snapshot
    info foreign.png                            | foreign.png: a picture that was not made by
    info old.png                                | old.png: a picture that was not made by
    info huge.png                               | huge.png
    info docs                                   | docs: not a run directory
    info cut.safetensors                        | cut.safetensors: damaged
"""
CASES = [[part.strip() for part in line.split("|")] for line in REFUSED.strip().splitlines()]


@pytest.mark.parametrize(("command", "message"), CASES, ids=[case[0] for case in CASES])
def test_what_cannot_be_done_is_refused_in_one_line_and_leaves_nothing(
    place, invoke, command, message
):
    before = tree(place)
    folders = {path for path in place.rglob("*") if path.is_dir()}
    line = invoke(*shlex.split(command)).refused()
    assert message in line
    assert tree(place) == before
    assert {path for path in place.rglob("*") if path.is_dir()} == folders


# These look into the images, ask for a device, or read a whole model
NEED_TORCH = """
    train empty
    train docs
    train cut.zip
    train few --dry-run
    train few
    train pack --size 64
    train faces --precision fp16 --device cpu
    sample cut.safetensors
    sample run --device cuda
    interpolate run --dims 8
"""


@pytest.mark.usefixtures("place")
def test_what_is_refused_at_sight_needs_no_torch():
    later = {line.strip() for line in NEED_TORCH.strip().splitlines()}
    commands = [command for command, _ in CASES if command not in later]
    assert len(commands) == len(CASES) - len(later)
    run_without_torch([shlex.split(command) for command in commands], code=2)


def test_mp4_without_the_extra_is_refused_with_what_to_install(tiny_run, invoke, monkeypatch, home):
    monkeypatch.setitem(sys.modules, "av", None)
    options = ("--out", "walk.gif", "--out", "walk.mp4")
    line = invoke("interpolate", tiny_run.path, *options).refused()
    assert "pip install 'ganface[video]'" in line
    assert list(home.iterdir()) == []


def test_a_pack_s_report_is_never_written_over(faces, invoke, home):
    (home / "pack.report.json").write_text("mine")
    line = invoke("dataset", "build", faces, "pack.safetensors", "--size", 16).refused()
    assert "pack.report.json: exists already" in line
    assert tree(home) == {"pack.report.json": b"mine"}


def test_a_run_that_is_being_written_is_refused_to_others(pack_file, run_copy, invoke):
    with run_copy.lock():
        line = invoke("train", pack_file, "--out", run_copy.path, "--resume").refused()
    assert f"in use by process {os.getpid()}" in line


def test_a_run_that_was_only_locked_may_be_begun(pack_file, invoke, home):
    (home / "run").mkdir()
    (home / "run" / ".lock").touch()
    invoke("train", pack_file, "--out", "run", *FEW).done()


def test_a_damaged_config_refuses_a_resume(pack_file, run_copy, invoke):
    for path in run_copy.checkpoints().values():
        path.unlink()  # whose settings would be taken in its place
    for text in ("{", "{}", "[]", '{"train": {"width": 4}}'):
        run_copy.config.write_text(text)
        line = invoke("train", pack_file, "--out", run_copy.path, "--resume").refused()
        assert str(run_copy.config) in line


def test_debug_shows_where_an_error_came_from(invoke):
    result = invoke("info", "nothing", "--debug")
    assert result.code == 2
    assert "Traceback" in result.err
    assert result.err.splitlines()[-1].startswith("ganface: ")


# ---------------------------------------------------------------------------- help


def test_version_is_one_line_on_stdout(invoke):
    assert invoke("--version").done() == [f"ganface {__version__}"]


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("dataset build", "--size --crop --background --dedupe --max-bad --workers --dry-run"),
        ("dataset demo", "--count --size --seed"),
        (
            "train",
            "--size --out --resume --steps --batch-size --width --z-dim --lr --seed --seeds "
            "--init-from --milestones --checkpoint-every --keep --precision --device --cache "
            "--dry-run --json",
        ),
        ("sample", "--seeds --grid --images --step --best --out --device --json"),
        (
            "interpolate",
            "--seeds --mode --frames --fps --loop --rows --dims --range --step --best --out --json",
        ),
        ("info", "--json"),
    ],
)
def test_help_names_every_flag(invoke, command, flags):
    text = " ".join(invoke(*command.split(), "--help").done())
    assert [flag for flag in flags.split() if flag not in text] == []


@pytest.mark.parametrize("group", [[], ["dataset"]])
def test_help_says_all_of_what_each_command_does(invoke, monkeypatch, group):
    monkeypatch.setenv("COLUMNS", "80")
    commands = invoke(*group, "--help").out.partition("Commands:")[2].strip().splitlines()
    assert len(commands) >= 2
    assert all(line.endswith(".") and not line.endswith("...") for line in commands)


def test_help_loads_only_what_it_needs():
    code = (
        "import sys\n"
        "from ganface.cli.main import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    slow = {'torch', 'PIL', 'numpy', 'pydantic', 'rich.table'}\n"
        "    sys.exit(str(slow & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True)
    assert "Usage:" in result.stdout
    assert result.stderr.strip() == "set()"


def test_no_command_shows_the_help(invoke):
    result = invoke()
    assert result.code == 2
    assert "interpolate" in result.out + result.err
    assert "Traceback" not in result.err
