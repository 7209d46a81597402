import io
import json
import os
import random
import shutil
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from conftest import draw_folder, draw_image, tree
from PIL import Image

from ganface.config.settings import BuildConfig
from ganface.dataset.build import _NearDuplicates, build_pack, cached_pack, list_source, report_path
from ganface.dataset.pack import Pack
from ganface.errors import CannotWriteError, UserError, WorkError

CONFIG = BuildConfig(size=16, max_bad=60)
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX file systems only")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out" / "pack.safetensors"


@pytest.fixture
def source(tmp_path):
    return draw_folder(tmp_path / "source", range(5))


def build(source, out, config=CONFIG, workers=1):
    return build_pack(source, out, config, workers=workers)


def zip_of(folder, path, **extra):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**tree(folder), **extra}.items():
            archive.writestr(name, data)
    return path


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


@pytest.fixture
def twins(tmp_path):
    """Two images, an exact copy in another format, and a near one."""
    folder = draw_folder(tmp_path / "twins", range(2))
    with Image.open(folder / "000.png") as image:
        image.save(folder / "copy.bmp")
        near = image.copy()
    near.putpixel((20, 20), tuple(255 - level for level in near.getpixel((20, 20))))
    near.save(folder / "near.png")
    return folder


@pytest.mark.parametrize(
    ("dedupe", "left_out"),
    [
        ("off", {}),
        ("exact", {"copy.bmp": "duplicate: of 000.png"}),
        (
            "near",
            {"copy.bmp": "duplicate: of 000.png", "near.png": "near duplicate: of 000.png"},
        ),
    ],
)
def test_duplicates_are_left_out_as_asked_for(twins, out, dedupe, left_out):
    report = build(twins, out, BuildConfig(size=16, dedupe=dedupe))
    assert report.left_out == left_out
    assert len(Pack(out)) == report.used == 4 - len(left_out)


def test_different_images_are_no_near_duplicates(faces, out):
    assert build(faces, out, BuildConfig(size=16, dedupe="near")).used == 100


def test_one_drawing_in_other_colours_is_no_near_duplicate(tmp_path, out):
    red, green, blue = draw_image(1).split()
    for name, bands in {"a.png": (red, green, blue), "b.png": (blue, green, red)}.items():
        Image.merge("RGB", bands).save(tmp_path / name)
    assert build(tmp_path, out, BuildConfig(size=16, dedupe="near")).used == 2


def test_hashes_are_near_up_to_three_bits_wherever_those_are():
    dice = random.Random(0)
    for bits in (0, 1, 2, 3, 4, 5, 20):
        for _ in range(200):
            value = dice.getrandbits(64)
            other = value
            for bit in dice.sample(range(64), bits):
                other ^= 1 << bit
            known = _NearDuplicates()
            assert known.find_or_add(value, b"", "first") is None
            assert known.find_or_add(other, b"", "second") == ("first" if bits <= 3 else None)


def test_the_report_names_every_file_left_out_with_its_reason(source, out):
    (source / "notes.txt").write_text("hello")
    (source / "README").write_text("hello")
    (source / "fake.jpg").write_text("no image at all")
    (source / "empty.png").write_bytes(b"")
    (source / "cut.png").write_bytes((source / "000.png").read_bytes()[:-30])
    (source / "copy.png").write_bytes((source / "001.png").read_bytes())
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
        ".hidden.png": "hidden",
        ".git/face.png": "hidden",
        "__MACOSX/face.png": "hidden",
    }
    assert report.used == written["used"] == 5
    assert written["counts"]["hidden"] == 3
    assert sum(written["counts"].values()) == len(written["left_out"]) == 9


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


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "empty" / "below").mkdir(parents=True)
    with pytest.raises(UserError, match="no image in it; it is empty"):
        list_source(tmp_path / "empty")


def test_a_folder_without_images_is_refused_with_what_was_found(tmp_path):
    for name in ("a.txt", "b.txt", "c.pdf", ".d"):
        (tmp_path / "docs" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "docs" / name).touch()
    with pytest.raises(UserError) as error:
        list_source(tmp_path / "docs")
    for found in ("2 × .txt", "1 × .pdf", "1 × hidden"):
        assert found in str(error.value)


@pytest.mark.parametrize("name", ["nothing", "file.txt"])
def test_what_is_neither_folder_nor_zip_is_refused(tmp_path, name):
    (tmp_path / "file.txt").write_text("hello")
    with pytest.raises(UserError, match=r"no such file or folder|neither a folder, nor a zip"):
        list_source(tmp_path / name)


# ---------------------------------------------------------------------------- hostile folders


@posix
def test_a_loop_of_links_is_walked_once(source, out):
    (source / "again").symlink_to(source, target_is_directory=True)
    (source / "up").symlink_to("..", target_is_directory=True)
    (source / "self.png").symlink_to("self.png")
    report = build(source, out)
    assert report.used == 5
    assert report.left_out["self.png"].startswith("cannot be read: ")


@posix
def test_links_to_images_and_folders_elsewhere_are_followed(tmp_path, source):
    links = tmp_path / "links"
    links.mkdir()
    (links / "one.png").symlink_to(source / "000.png")
    (links / "all").symlink_to(source, target_is_directory=True)
    (links / "gone.png").symlink_to(source / "nothing.png")
    listing = list_source(links)
    assert listing.images == [*(f"all/{i:03d}.png" for i in range(5)), "one.png"]
    assert listing.left_out["gone.png"].startswith("cannot be read: ")


@posix
def test_a_pipe_named_as_an_image_is_left_out_and_never_opened(source, out):
    os.mkfifo(source / "pipe.jpg")
    assert build(source, out).left_out == {"pipe.jpg": "not a regular file"}


@posix
def test_files_that_change_once_they_are_listed_are_named(source, out):
    listing = list_source(source)
    for name in ("000.png", "001.png", "002.png"):
        (source / name).unlink()
    os.mkfifo(source / "001.png")
    (source / "002.png").mkdir()
    os.truncate(source / "003.png", 2**40)
    report = build_pack(source, out, BuildConfig(max_bad=100), workers=1, listing=listing)
    assert report.left_out == {
        "000.png": "cannot be read: No such file or directory",
        "001.png": "not a regular file",
        "002.png": "cannot be read: Is a directory",
        "003.png": f"too large: {2**40} bytes",
    }
    assert report.used == 1


def test_a_folder_that_goes_while_it_is_listed_is_named(source, monkeypatch):
    for name in ("a", "b.png"):
        (source / name).mkdir()
    list_folder = os.listdir

    def list_and_remove(path):
        names = list_folder(path)
        if path == source:
            (source / "a").rmdir()
            (source / "b.png").rmdir()
        return names

    monkeypatch.setattr(os, "listdir", list_and_remove)
    listing = list_source(source)
    assert len(listing.images) == 5
    assert {*listing.left_out} == {"a", "b.png"}


@pytest.fixture
def nobody():
    """Root reads everything; so who is root is somebody else for a while."""
    Image.init()  # nobody may not be allowed to read Pillow
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


@posix
def test_folders_and_files_that_may_not_be_read_are_named(source, request, monkeypatch):
    for name, mode in {"shut": 0, "v1.0": 0, "only names": 0o444}.items():
        draw_folder(source / name, range(5)).chmod(mode)
    (source / "shut.png").write_bytes((source / "000.png").read_bytes())
    (source / "shut.png").chmod(0)
    monkeypatch.chdir(source.parent)  # the folders above are pytest's, for its user alone
    source.parent.chmod(0o777)
    request.getfixturevalue("nobody")
    report = build(Path("source"), Path("pack"), BuildConfig(dedupe="off", max_bad=100))
    assert report.used == 5
    no = "Permission denied"
    assert report.left_out == {
        "shut/": f"folder cannot be read: {no}",
        "v1.0/": f"folder cannot be read: {no}",
        **{f"only names/{i:03d}.png": f"cannot be read: {no}" for i in range(5)},
        "shut.png": f"cannot be read: {no}",
    }
    with pytest.raises(UserError, match=f"no image in it; found 1 × {no}"):
        list_source(Path("source/shut"))


@pytest.fixture
def deep(tmp_path, monkeypatch):
    """deep(name, count): so many folders of this name within each other, an image in each."""
    made = []

    def make(name, count):
        image = draw_folder(tmp_path / "one", range(1)) / "000.png"
        root = tmp_path / "deep"
        root.mkdir()
        monkeypatch.chdir(root)
        for _ in range(count):
            os.link(image, "face.png")
            os.mkdir(name)
            os.chdir(name)
            made.append(name)
        return root

    yield make
    for name in reversed(made):
        os.chdir("..")
        os.rmdir(name)
        os.remove("face.png")


@posix
def test_folders_are_read_however_deep(deep):
    listing = list_source(deep("a", 1500))
    assert len(listing.images) == 1500
    assert listing.left_out == {}


@posix
def test_folders_deeper_than_the_system_can_name_are_named_as_far_as_it_can(deep):
    listing = list_source(deep("a" * 200, 30))
    assert 15 < len(listing.images) < 25
    assert 1 <= len(listing.left_out) <= 2  # the next folder, and the image beside it
    assert all(reason.endswith(": File name too long") for reason in listing.left_out.values())


@pytest.mark.skipif(sys.platform != "linux", reason="names in any bytes exist on Linux only")
def test_names_that_are_no_unicode_are_read_and_reported(source, out):
    folder = os.fsencode(source)
    shutil.copy(source / "000.png", folder + b"/\xff\xfe.png")
    with open(folder + b"/\xfd.jpg", "wb") as file:
        file.write(b"x")
    report = build(source, out)
    assert report.used == 5
    assert len(json.loads(report_path(out).read_text())["left_out"]) == 2


# ---------------------------------------------------------------------------- zips


def test_members_that_climb_are_left_out_by_name(tmp_path, source, out):
    face = (source / "000.png").read_bytes()
    names = ["../up.png", "a/../../up.png", "/root.png", "C:/windows.png"]
    archive = zip_of(source, tmp_path / "faces.zip", **dict.fromkeys(names, face))
    report = build(archive, out)
    assert report.left_out == dict.fromkeys(names, "name climbs out of the zip")
    assert report.used == 5
    assert not (tmp_path.parent / "up.png").exists()


def test_a_zip_of_nothing_but_climbing_members_is_refused(tmp_path):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../a.png", b"x")
        archive.writestr("../b.png", b"x")
    with pytest.raises(UserError, match="no image in it; found 2 × name climbs out of the zip"):
        list_source(path)


def set_flag(path, names):
    """Mark members as encrypted, in the zip's directory and before their data."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        position = archive.start_dir
    for member in members:
        if member.filename in names:
            data[member.header_offset + 6] |= 1
            data[position + 8] |= 1
        position += 46 + len(member.filename.encode()) + len(member.extra) + len(member.comment)
    path.write_bytes(data)


def test_an_encrypted_zip_is_refused_with_advice(tmp_path, source):
    path = zip_of(source, tmp_path / "secret.zip")
    set_flag(path, set(tree(source)))
    with pytest.raises(UserError, match="the zip is encrypted; unpack it"):
        list_source(path)


def test_an_encrypted_member_is_left_out_by_name(tmp_path, source, out):
    path = zip_of(source, tmp_path / "secret.zip")
    set_flag(path, {"002.png"})
    report = build(path, out)
    assert report.left_out == {"002.png": "encrypted"}
    assert report.used == 4


def test_a_damaged_member_is_left_out_and_the_others_are_used(tmp_path, source, out):
    path = zip_of(source, tmp_path / "faces.zip")
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        data[archive.getinfo("003.png").header_offset + 100] ^= 0xFF
    path.write_bytes(data)
    report = build(path, out)
    assert report.used == 4
    assert report.left_out["003.png"].startswith("cannot be read: ")


def test_a_damaged_member_that_could_be_decoded_is_found_by_its_checksum(tmp_path, source, out):
    picture = io.BytesIO()
    draw_image(9).save(picture, "BMP")
    path = zip_of(source, tmp_path / "faces.zip", **{"9.bmp": picture.getvalue()})
    data = bytearray(path.read_bytes())
    data[data.index(picture.getvalue()) + 1000] ^= 1
    path.write_bytes(data)
    assert build(path, out).left_out == {"9.bmp": "cannot be read: Bad CRC-32 for file '9.bmp'"}


def test_a_truncated_zip_is_refused(tmp_path, source):
    path = zip_of(source, tmp_path / "faces.zip")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match=str(path)):
        list_source(path)


def test_folders_and_hidden_members_of_a_zip_are_no_images(tmp_path, source, out):
    path = zip_of(source, tmp_path / "faces.zip", **{"__MACOSX/._000.png": b"x", "sub/": b""})
    assert build(path, out).left_out == {"__MACOSX/._000.png": "hidden"}


# ---------------------------------------------------------------------------- the cache


def test_a_cached_pack_is_used_again_until_something_changes(tmp_path, source):
    cache = tmp_path / "cache"
    path, report = cached_pack(source, CONFIG, cache)
    assert report.used == 5
    stamp = path.stat().st_mtime_ns
    assert cached_pack(source, CONFIG, cache) == (path, None)
    assert path.stat().st_mtime_ns == stamp

    other, report = cached_pack(source, BuildConfig(size=24), cache)
    assert other != path
    assert report.used == 5

    draw_image(77).save(source / "new.png")
    other, report = cached_pack(source, CONFIG, cache)
    assert other != path
    assert report.used == 6


def test_packs_of_two_folders_of_one_name_are_kept_apart(tmp_path):
    paths = set()
    for place in "ab":
        source = draw_folder(tmp_path / place / "faces", range(3))
        for image in source.iterdir():
            os.utime(image, (1, 1))
        paths.add(cached_pack(source, CONFIG, tmp_path / "cache")[0])
    assert len(paths) == 2


def test_of_two_zip_members_with_one_name_the_last_is_read_once(tmp_path):
    source = tmp_path / "twice.zip"
    with zipfile.ZipFile(source, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own, of the doubled name
        for seed in (1, 2):
            image = io.BytesIO()
            draw_image(seed).save(image, "PNG")
            archive.writestr("a.png", image.getvalue())
    report = build(source, tmp_path / "pack")
    assert (report.used, report.left_out) == (1, {})


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
