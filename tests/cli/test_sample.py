"""`ganface sample`, as a user runs it."""

import json
import os
import shutil

import pytest
from conftest import TINY_STEPS, tree
from pictures_made import grid_pixels, pixels_of, size_of
from PIL import Image, ImageChops, ImageStat

from ganface.errors import UserError
from ganface.io.atomic import append
from ganface.latents.seeds import z_of
from ganface.models.generate import generate
from ganface.models.snapshot import load_generator
from ganface.pictures.animation import read_animation_meta
from ganface.pictures.grid import choose_captioned_scale, cut, to_pil
from ganface.pictures.png import read_png_meta


def test_sample_draws_64_faces_near_the_working_folder(tiny_run, invoke, home):
    name = "tiny-step-000012-seeds-0-63"
    assert invoke("sample", tiny_run.path).done() == [f"{name}.png"]
    assert size_of(home / f"{name}.png") == (grid_pixels(8), grid_pixels(8))
    meta = read_png_meta(home / f"{name}.png")
    assert (meta["kind"], meta["seeds"], meta["step"]) == ("grid", "0-63", TINY_STEPS)
    assert invoke("sample", tiny_run.path).done() == [f"{name}-2.png"]


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
    folder = home / "tiny-step-000012-seeds-3,0-1,1234567"
    assert set(tree(folder)) == names
    assert {os.path.basename(file) for file in json.loads(line)["files"]} == names
    assert size_of(folder / "seed-000003.png") == (64, 64)
    assert read_png_meta(folder / "seed-000003.png")["seeds"] == "3"


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


def test_the_ascent_of_a_discriminator_alone_is_an_animation(
    tmp_path, pack_file, tiny_run, invoke, home
):
    run = tmp_path / "energy"
    options = ("--method", "energy", "--size", 32, "--width", 4, "--z-dim", 8, "--steps", 3)
    invoke("train", pack_file, "--out", run, *options, "--device", "cpu", "--seeds", "0-3").done()
    found = invoke("sample", run, "--seeds", "0-3", "--frames", "climb.gif", "--out", "faces.png")
    assert found.done() == ["climb.gif", "faces.png"]
    with Image.open("climb.gif") as film, Image.open("faces.png") as faces:
        assert film.n_frames >= 2
        assert film.size == faces.size
        film.seek(film.n_frames - 1)  # 256 colours, dithered
        both = [image.convert("RGB").reduce(2) for image in (film, faces)]
        assert ImageStat.Stat(ImageChops.difference(*both)).mean[0] < 6
    meta = read_png_meta(home / "faces.png")
    assert read_animation_meta(home / "climb.gif") == {**meta, "kind": "ascent"}
    refused = invoke("sample", tiny_run.path, "--frames", "other.gif", "--out", "x.png").refused()
    assert "for those of --method energy" in refused


def test_a_face_is_drawn_as_large_as_asked_for_and_is_G_s_own_at_1(tiny_run, invoke, home):
    for scale in (1, 2, 3, 1.5):
        options = ("--seeds", 5, "--scale", scale, "--out", f"{scale}.png")
        invoke("sample", tiny_run.path, *options).done()
    G, _ = load_generator(tiny_run.generator)
    own = to_pil(generate(G, z_of([5], 8))[0])
    assert pixels_of(home / "1.png") == own.tobytes()
    assert pixels_of(home / "2.png") == own.resize((64, 64), Image.Resampling.NEAREST).tobytes()
    for scale, side in ((3, 96), (1.5, 48)):
        assert size_of(home / f"{scale}.png") == (side, side)
        meta = read_png_meta(home / f"{scale}.png")
        assert (meta["scale"], meta["resampling"]) == (scale, "lanczos")
    assert "resampling" not in read_png_meta(home / "1.png")


def test_titles_stand_below_faces_and_leave_them_as_they_are(tiny_run, invoke):
    for name, options in (("plain", ()), ("named", ("--titles",))):
        out = ("--seeds", "0-3", "--scale", 2, *options, "--out", f"{name}.png")
        invoke("sample", tiny_run.path, *out).done()
    with Image.open("plain.png") as plain, Image.open("named.png") as named:
        assert named.width == plain.width
        assert named.height > plain.height
        face = (0, 0, 64, 64)
        assert named.crop(face).tobytes() == plain.crop(face).tobytes()


def test_faces_with_titles_are_as_wide_as_a_title_unless_a_scale_is_asked_for():
    assert choose_captioned_scale(32, 900) == 3
    assert choose_captioned_scale(32, 900, 1) == 1
    with pytest.raises(UserError, match="draw fewer"):
        choose_captioned_scale(32, 9000, 1)


def test_names_tell_step_seeds(tiny_run, invoke):
    seeds = ",".join(map(str, range(0, 60, 3)))
    (name,) = invoke("sample", tiny_run.path, "--step", 4, "--seeds", seeds).done()
    assert name == "tiny-step-000004-seeds-0,3,6,9,12,15,18,21,24,27,30,33,36,39,more.png"
    found = invoke("sample", tiny_run.snapshot(8), "--seeds", "1, 2", "--images").done()
    assert found == ["step-000008-seeds-1,2"]


def test_a_run_whose_generator_is_gone_is_drawn_from_its_newest_snapshot(run_copy, invoke, home):
    run_copy.generator.unlink()
    result = invoke("sample", run_copy.path, "--seeds", "0-8", "--out", "a.png")
    result.done()
    assert "is gone" in result.err
    assert read_png_meta(home / "a.png")["step"] == TINY_STEPS
    assert pixels_of(home / "a.png") == pixels_of(run_copy.grid(TINY_STEPS))
