import io
import json
import os
import shutil
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
from conftest import draw_folder, draw_image, tree
from packing import build, zip_of
from PIL import Image

from ganface.config.dataset import BuildConfig
from ganface.dataset.build import build_pack, report_path
from ganface.dataset.sources import list_source
from ganface.errors import UserError

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX file systems only")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out" / "pack.safetensors"


@pytest.fixture
def source(tmp_path):
    return draw_folder(tmp_path / "source", range(5))


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
    listing = list_source(deep("a", 1100))
    assert len(listing.images) == 1100
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
