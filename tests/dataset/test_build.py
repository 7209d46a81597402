import json
import os
import shutil

import pytest
import torch
from conftest import draw_folder, draw_image, tree
from packing import build, zip_of
from PIL import Image

from ganface.config.dataset import BuildConfig
from ganface.dataset.build import report_path
from ganface.dataset.pack import Pack
from ganface.dataset.sources import list_source
from ganface.errors import CannotWriteError, WorkError


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out" / "pack.safetensors"


@pytest.fixture
def source(tmp_path):
    return draw_folder(tmp_path / "source", range(5))


def test_nested_folders_and_suffixes_in_any_case_are_read_in_order_of_their_names(tmp_path, out):
    source = tmp_path / "source"
    names = ["b/x.PNG", "a/deep/er/y.JpEg", "c.png", "a/z.WEBP"]
    for seed, name in enumerate(names):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (50 * seed,) * 3).save(source / name)
    assert list_source(source).images == sorted(names)
    assert build(source, out).used == 4
    levels = [image.float().mean().round().item() for image in Pack(out).images]
    assert levels == [50 * names.index(name) for name in sorted(names)]


def test_the_pixels_of_a_pack_are_those_of_the_images_channel_by_channel(tmp_path, out):
    image = draw_image(0, (16, 16))
    (tmp_path / "one").mkdir()
    image.save(tmp_path / "one" / "face.png")
    build(tmp_path / "one", out)
    bands = [torch.tensor(list(band.tobytes())).view(16, 16) for band in image.split()]
    assert torch.equal(Pack(out).images[0], torch.stack(bands).to(torch.uint8))


def test_a_zip_gives_the_same_pack_as_the_folder_and_is_read_in_place(tmp_path, source, out):
    other = tmp_path / "other.safetensors"
    archive = zip_of(source, tmp_path / "faces.zip")
    build(source, out)
    before = set(tmp_path.iterdir())
    build(archive, other)
    assert other.read_bytes() == out.read_bytes()
    assert set(tmp_path.iterdir()) - before == {other, report_path(other)}


def test_the_same_images_make_the_same_pack_whoever_where_and_whenever(tmp_path, out):
    # More than are done in one process
    source = draw_folder(tmp_path / "source", range(140))
    build(source, out)
    moved = shutil.copytree(source, tmp_path / "elsewhere" / "moved")
    for path in moved.iterdir():
        os.utime(path, (1, 1))
    other = tmp_path / "two.safetensors"
    build(moved, other, workers=2)
    assert len(Pack(out)) == 140
    assert other.read_bytes() == out.read_bytes()
    assert report_path(other).read_bytes() == report_path(out).read_bytes()


def test_settings_change_the_pack(tmp_path, source, out):
    build(source, out)
    for number, change in enumerate(({"crop": "none"}, {"background": "red"})):
        other = tmp_path / f"{number}.safetensors"
        build(source, other, BuildConfig(size=16, max_bad=60, **change))
        assert Pack(other).fingerprint != Pack(out).fingerprint


def test_the_report_names_every_file_left_out_with_its_reason(source, out):
    (source / "notes.txt").write_text("hello")
    (source / "README").write_text("hello")
    (source / "fake.jpg").write_text("no image at all")
    (source / "empty.png").write_bytes(b"")
    (source / "cut.png").write_bytes((source / "000.png").read_bytes()[:-30])
    (source / "copy.png").write_bytes((source / "001.png").read_bytes())
    (source / "phone.HEIC").write_bytes(b"")
    (source / "factors.csv").write_text("no remark")
    (source / ".hidden.png").write_bytes(b"")
    (source / ".git").mkdir()
    (source / ".git" / "face.png").write_bytes((source / "000.png").read_bytes())
    (source / "__MACOSX").mkdir()
    (source / "__MACOSX" / "face.png").write_bytes(b"resource fork")
    report = build(source, out)
    written = json.loads(report_path(out).read_text())
    reasons = {each["name"]: each["reason"] for each in written["left_out"]}
    assert reasons.pop("cut.png").startswith("cannot be decoded: ")
    assert reasons == {
        "notes.txt": "no image by its name: .txt",
        "README": "no image by its name: no suffix",
        "fake.jpg": "not an image of a known format",
        "empty.png": "empty file",
        "copy.png": "duplicate: of 001.png",
        "phone.HEIC": "HEIC is not read, save it as .png or .jpg",
        ".hidden.png": "hidden",
        ".git/face.png": "hidden",
        "__MACOSX/face.png": "hidden",
    }
    assert report.used == written["used"] == 5
    assert written["counts"]["hidden"] == 3
    assert sum(written["counts"].values()) == len(written["left_out"]) == 10


def test_too_many_bad_images_end_the_work_with_examples_and_no_pack(source, out):
    (source / "bad.jpg").write_text("x")
    (source / "notes.txt").write_text("not counted")
    config = BuildConfig(size=16, max_bad=16)
    with pytest.raises(WorkError, match=r"1 of 6 images are bad, --max-bad is 16 %: bad\.jpg"):
        build(source, out, config)
    assert list(out.parent.iterdir()) == []
    assert build(source, out, BuildConfig(size=16, max_bad=17)).used == 5


def test_where_all_images_are_bad_no_pack_is_made(tmp_path, out):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bad.jpg").write_text("x")
    with pytest.raises(WorkError, match=r"1 of 1 images are bad, none is left: bad\.jpg"):
        build(tmp_path / "bad", out, BuildConfig(max_bad=100))
    assert list(out.parent.iterdir()) == []


def test_there_is_no_pack_without_its_report(source, out, monkeypatch):
    def full(*_):
        raise CannotWriteError("no room")

    monkeypatch.setattr("ganface.dataset.build.write_text", full)
    with pytest.raises(CannotWriteError):
        build(source, out)
    assert tree(out.parent) == {}


@pytest.mark.parametrize(("size", "chunk"), [(64, 32), (256, 5), (1024, 1)])
def test_few_large_images_are_held_at_once(source, out, monkeypatch, size, chunk):
    given = []

    def record(function, names, workers, chunk, lost):  # noqa: ARG001
        given.append(chunk)
        return map(function, names)

    monkeypatch.setattr("ganface.dataset.build.map_in_order", record)
    build(source, out, BuildConfig(size=size))
    assert given == [chunk]
