"""Folders and zips with anything in them: each file is used or named with its reason.

What is tried at random is the same in each run; a number in a file's name tells it from the others.
"""

import io
import json
import os
import random
import re
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import pytest
from conftest import draw_folder, draw_image, tree
from PIL import Image

from ganface.dataset.decode import FORMATS

WIDTH, HEIGHT = 61, 53  # unlike anything else in a header
MUCH = 2**29  # bytes that a bomb unpacks to
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")


@dataclass
class Outcome:
    code: int
    err: str
    seconds: float
    mebibytes: int  # the most that the command or one of its workers had in memory
    report: dict | None

    def left_out(self):
        return {each["name"]: each["reason"] for each in self.report["left_out"]}


# A small process in between: the peak of a child begins with that of the process that starts it
MEASURE = """
import resource, subprocess, sys
limit, *command = sys.argv[1:]
if int(limit):
    resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
code = subprocess.run(command, timeout=1000).returncode
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
sys.exit(code)
"""


@pytest.fixture
def build(tmp_path):
    """Run `dataset build` as a process of its own, for 1000 seconds at most."""

    def run(source, *options, program=("-m", "ganface"), memory_limit=0):
        pack = tmp_path / "out" / "pack.safetensors"
        measure = [sys.executable, "-c", MEASURE, memory_limit]
        command = [sys.executable, *program, "dataset", "build", source, pack, "--size", 32]
        start = time.monotonic()
        end = subprocess.run(
            [str(part) for part in (*measure, *command, *options)], capture_output=True, text=True
        )
        seconds = time.monotonic() - start
        peak = int(end.stdout.rpartition("peak ")[2])
        report = pack.with_suffix(".report.json")
        report = json.loads(report.read_text()) if end.returncode == 0 else None
        return Outcome(end.returncode, end.stderr, seconds, peak, report)

    return run


def check_all_are_told(outcome, count):
    assert outcome.code == 0, outcome.err
    assert "Traceback" not in outcome.err
    left_out = outcome.left_out()
    assert outcome.report["used"] + len(left_out) == count
    assert all(reason and "\n" not in reason for reason in left_out.values())


# ---------------------------------------------------------------------------- mutations


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@cache
def originals() -> list[tuple[str, bytes]]:
    """(suffix, bytes) of images of every format that is read, in the kinds that it knows."""
    face = draw_image(1, (WIDTH, HEIGHT))
    clear = face.copy()
    clear.putalpha(face.convert("L"))
    frames = {"save_all": True, "append_images": [draw_image(2, face.size)], "duration": 50}
    exif = Image.Exif()
    exif[274] = 6
    kinds = {
        "JPEG": [
            (face, {"exif": exif}),
            (face, {"progressive": True}),
            (face.convert("CMYK"), {}),
            (face.convert("L"), {}),
        ],
        "PNG": [
            (face, {"icc_profile": bytes(500), "exif": exif}),
            (clear, {}),
            (face.quantize(16), {"transparency": 3}),
            (face.convert("I;16"), {}),
            (face.convert("1"), {}),
            (face, frames),
        ],
        "WEBP": [(face, {}), (clear, {"lossless": True}), (face, frames), (face, {"exif": exif})],
        "AVIF": [(face, {}), (clear, {"quality": 90}), (face, frames), (face, {"exif": exif})],
        "BMP": [(face, {}), (face.quantize(16), {}), (face.convert("1"), {})],
        "GIF": [(face, {}), (face, frames), (face.quantize(16), {"transparency": 3})],
        "TIFF": [
            (face, {}),
            (face, {"compression": "tiff_lzw"}),
            (clear, {"compression": "tiff_adobe_deflate"}),
            (face, {"compression": "jpeg"}),
            (face.convert("1"), {"compression": "group4"}),
            (face.convert("I;16"), {}),
            (face.convert("F"), {}),
            (face.convert("CMYK"), frames),
        ],
    }
    assert set(kinds) == set(FORMATS)
    return [
        (f".{kind.lower()}", encoded(image, kind, **options))
        for kind, images in kinds.items()
        for image, options in images
    ]


def flip_bits(data, dice):
    for _ in range(dice.choice((1, 3, 30))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def damage_the_header(data, dice):
    for _ in range(dice.randint(1, 6)):
        data[dice.randrange(min(len(data), 100))] = dice.choice((0, 1, 0x7F, 0xFF, 0x80))


def cut(data, dice):
    del data[dice.randrange(len(data)) :]


def cut_out(data, dice):
    start = dice.randrange(len(data))
    del data[start : start + dice.randint(1, 200)]


def insert(data, dice):
    at = dice.randrange(len(data))
    data[at:at] = dice.randbytes(dice.randint(1, 200))


def repeat(data, dice):
    start = dice.randrange(len(data))
    data[start:start] = data[start : start + 500] * dice.randint(1, 5)


def put_another_header_in_front(data, dice):
    other = dice.choice(originals())[1][: dice.randint(2, 60)]
    data[: dice.choice((0, len(other)))] = other


def go_on_as_another(data, dice):
    other = dice.choice(originals())[1]
    at = dice.randrange(len(data))
    data[at:] = other[min(at, len(other)) :]


def declare_another_size(data, dice):
    sides = (0, 1, 60, 9_999, 16_000, 65_535, 2**31 - 1)
    declare(data, dice.choice(sides), dice.choice(sides))


def declare(data, width, height):
    """Write these wherever the width and the height stand, as each format does it."""
    starts = {b"\x89PNG": ">I", b"\xff\xd8": ">H", b"GIF8": "<H", b"RIFF": "<H"}
    form = next((starts[start] for start in starts if data.startswith(start)), "<I")
    limit = 2 ** (8 * struct.calcsize(form)) - 1
    for old, new in ((WIDTH, width), (HEIGHT, height)):
        data[:] = data.replace(struct.pack(form, old), struct.pack(form, min(new, limit)))
    if form == ">I":
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))


MUTATIONS = (
    flip_bits,
    damage_the_header,
    cut,
    cut_out,
    insert,
    repeat,
    put_another_header_in_front,
    go_on_as_another,
    declare_another_size,
)


def mutated(number: int) -> tuple[str, bytes]:
    """The name and the bytes of the mutated image of this number."""
    dice = random.Random(number)
    suffix, data = originals()[number % len(originals())]
    data, mutations = bytearray(data), dice.sample(MUTATIONS, dice.choice((1, 1, 2)))
    for mutation in mutations:
        if data:
            mutation(data, dice)
    return f"{number:05d} {' '.join(each.__name__ for each in mutations)}{suffix}", bytes(data)


def test_the_images_that_are_mutated_can_be_read(build, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for number, (suffix, data) in enumerate(originals()):
        (source / f"{number}{suffix}").write_bytes(data)
    outcome = build(source, "--max-bad", 0, "--dedupe", "off")
    assert outcome.code == 0, outcome.err
    assert outcome.report["used"] == len(originals())


def test_mutated_images_are_used_or_named(build, tmp_path, tries, figure):
    source = tmp_path / "source"
    source.mkdir()
    numbers = tries(280, 2800)
    for number in numbers:
        name, data = mutated(number)
        (source / name).write_bytes(data)
    outcome = build(source, "--max-bad", 100, "--dedupe", "off")
    check_all_are_told(outcome, len(numbers))
    used = outcome.report["used"]
    assert len(numbers) / 20 < used < len(numbers) * 19 / 20  # else they test too little
    assert "its decoder crashed" not in outcome.left_out().values()
    assert "Decode" not in outcome.err  # libtiff would have its say
    assert outcome.mebibytes < 1800
    figure(
        f"{len(numbers)} images, {used} used, the others named; "
        f"{outcome.seconds:.0f} s, {outcome.mebibytes} MiB"
    )


def test_mutated_zips_are_read_or_refused(tmp_path, invoke, tries, figure):
    folder = draw_folder(tmp_path / "faces", range(6))
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in tree(folder).items():
            archive.writestr(name, data)
        archive.writestr("a folder/stored.png", data, zipfile.ZIP_STORED)
        archive.writestr("notes.txt", "hello")
    whole, pack = whole.read_bytes(), tmp_path / "pack.safetensors"
    directory = whole.index(b"PK\1\2")
    numbers, read, slowest = tries(60, 1000), 0, 0.0
    for number in numbers:
        dice = random.Random(number)
        data = bytearray(whole)
        part = data[directory:] if number % 2 else data  # most of its bytes are pixels
        dice.choice((flip_bits, cut, cut_out, insert, repeat, damage_the_header))(part, dice)
        source = tmp_path / f"{number}.zip"
        source.write_bytes(data[:directory] + part if number % 2 else data)
        start = time.monotonic()
        result = invoke("dataset", "build", source, pack, "--workers", 1, "--max-bad", 100)
        slowest = max(slowest, time.monotonic() - start)
        if result.code == 0:
            read += 1
            report = json.loads(pack.with_suffix(".report.json").read_text())
            with zipfile.ZipFile(source) as archive:
                names = {name for name in archive.namelist() if not name.endswith("/")}
            assert report["used"] + len(report["left_out"]) == len(names), number
            pack.unlink()
            pack.with_suffix(".report.json").unlink()
        else:
            lines = result.err.splitlines()
            assert result.code in (1, 2), number
            assert len(lines) == 1, number
            assert lines[0].startswith("ganface: "), number
    assert len(numbers) / 20 < read < len(numbers) * 19 / 20, result
    assert slowest < 200
    figure(f"{len(numbers)} zips, {read} read, the others refused; at most {slowest:.1f} s")


# ---------------------------------------------------------------------------- bombs


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def plain_png(side, colour_type=2, depth=8):
    """A PNG of one colour; of type 2 RGB, of type 6 RGBA."""
    header = struct.pack(">IIBBBBB", side, side, depth, colour_type, 0, 0, 0)
    row = bytes(1 + side * {2: 3, 6: 4}[colour_type] * depth // 8)
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@cache
def much() -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(MUCH // 2**20)) + packer.flush()


def declared(suffix, side):
    """An image that says it is so wide and high."""
    data = bytearray(next(data for kind, data in originals() if kind == suffix))
    declare(data, side, side)
    return bytes(data)


def webp_with_canvas(side):
    """A WebP animation, whose canvas may be larger than its frame."""
    frame = encoded(draw_image(0), "WEBP")[12:]
    number = partial(int.to_bytes, length=3, byteorder="little")
    frame = bytes(6) + number(39) * 2 + number(0) + b"\0" + frame
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + number(side - 1) * 2
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_bombs_are_named_and_fill_no_memory(build, tmp_path, figure):
    source = draw_folder(tmp_path / "source", range(1))
    face = (source / "000.png").read_bytes()
    start, rest = face[:33], face[33:]
    bombs = {
        "plain.png": plain_png(30_000),
        "text.png": start + chunk(b"zTXt", b"k\0\0" + much()) + rest,
        "international.png": start + chunk(b"iTXt", b"k\0\1\0\0\0" + much()) + rest,
        "profile.png": start + chunk(b"iCCP", b"k\0\0" + much()) + rest,
        "canvas.webp": webp_with_canvas(60_000),
        "wide.gif": declared(".gif", 60_000),
        "wide.tiff": declared(".tiff", 60_000),
        "wide.jpeg": declared(".jpeg", 60_000),
        "wide.bmp": declared(".bmp", 60_000),
    }
    for name, data in bombs.items():
        (source / name).write_bytes(data)
    outcome = build(source, "--max-bad", 100)
    check_all_are_told(outcome, 1 + len(bombs))
    too_large = {name for name, reason in outcome.left_out().items() if "too large" in reason}
    assert set(outcome.left_out()) == too_large == set(bombs)
    assert outcome.mebibytes < 200
    figure(f"{len(bombs)} bombs; {outcome.seconds:.1f} s, {outcome.mebibytes} MiB")


def test_zip_bombs_are_named_and_fill_no_memory(build, tmp_path, figure):
    source = tmp_path / "bombs.zip"
    pixels = bytes(MUCH)
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("declared.png", pixels)
        archive.writestr("lie.png", pixels)
        archive.writestr("a little more than said.png", plain_png(32))
        archive.writestr("bzip2.png", pixels[: 2**26], zipfile.ZIP_BZIP2)
        archive.writestr("lzma.png", pixels[: 2**26], zipfile.ZIP_LZMA)
        archive.writestr("face.png", encoded(draw_image(0), "PNG"))
        for name in ("lie.png", "a little more than said.png", "bzip2.png", "lzma.png"):
            archive.getinfo(name).file_size = 50
    outcome = build(source, "--max-bad", 100)
    check_all_are_told(outcome, 6)
    unread = "compressed in a way that is not read; unpack the zip and give the folder"
    assert {
        name: re.sub("'.*'", "NAME", reason) for name, reason in outcome.left_out().items()
    } == {
        "declared.png": f"too large: {MUCH} bytes",
        "lie.png": "cannot be read: Bad CRC-32 for file NAME",
        "a little more than said.png": "cannot be read: Bad CRC-32 for file NAME",
        "bzip2.png": unread,
        "lzma.png": unread,
    }
    assert outcome.mebibytes < 200
    figure(f"{outcome.seconds:.1f} s, {outcome.mebibytes} MiB")


def test_an_image_that_needs_more_memory_than_there_is_is_named(build, tmp_path):
    source = draw_folder(tmp_path / "source", range(3))
    (source / "001 large.png").write_bytes(plain_png(9_990, colour_type=6))
    outcome = build(source, "--max-bad", 30, memory_limit=2**30)
    check_all_are_told(outcome, 4)
    assert outcome.left_out() == {"001 large.png": "needs more memory than there is"}


# ---------------------------------------------------------------------------- workers that die


def test_images_that_kill_their_decoder_are_named_and_all_others_used(build, tmp_path):
    source = draw_folder(tmp_path / "source", range(300))
    expected = {
        "007.png": (b"crash", "its decoder crashed"),
        "008.png": (b"kill", "its decoder crashed"),
        "150.png": (b"memory", "needs more memory than there is"),
        "299.png": (b"crash", "its decoder crashed"),
    }
    for name, (ending, _) in expected.items():
        with open(source / name, "ab") as file:
            file.write(ending)
    program = (Path(__file__).with_name("crashing_decoder.py"),)
    outcome = build(source, "--workers", 2, "--max-bad", 100, program=program)
    check_all_are_told(outcome, 300)
    assert outcome.left_out() == {name: reason for name, (_, reason) in expected.items()}


# ---------------------------------------------------------------------------- what changes


def test_files_that_change_while_they_are_read_are_used_or_named(build, tmp_path, tries):
    """Each is removed, cut, grown, or becomes a folder, a pipe or a link to nothing."""
    for attempt in tries(1, 10):
        dice = random.Random(attempt)
        source = draw_folder(tmp_path / f"source {attempt}", range(400))
        paths = sorted(source.iterdir())
        dice.shuffle(paths)
        stop = threading.Event()

        def change(paths=paths, stop=stop, dice=dice):
            for path in paths[:-20]:
                way = dice.randrange(6)
                if way == 0:
                    path.write_bytes(path.read_bytes()[:100])
                elif way == 1:
                    os.truncate(path, 2**33)
                else:
                    path.unlink()
                if way == 3:
                    path.mkdir()
                elif way == 4:
                    os.mkfifo(path)
                elif way == 5:
                    path.symlink_to("nowhere")
                if stop.wait(0.002):
                    return

        meddler = threading.Thread(target=change)
        meddler.start()
        outcome = build(source, "--max-bad", 100, "--workers", 2)
        stop.set()
        meddler.join()
        assert outcome.code == 0, (attempt, outcome.err)
        assert "Traceback" not in outcome.err
        told = outcome.report["used"] + len(outcome.left_out())
        assert 20 <= told <= 400  # a file may be gone, or a folder, before it is listed
        assert outcome.mebibytes < 400
        for path in tmp_path.glob("out/*"):
            path.unlink()


# ---------------------------------------------------------------------------- names

NAMES = {
    "line\nbreak.png": r"line break.png",
    "\x1b[31mred\x07.png": r"\x1b[31mred\x07.png",
    "right \u202e to left.png": r"right \u202e to left.png",
    "アニメの顔.png": "アニメの顔.png",
    "وجه.png": "وجه.png",
    "😀.png": "😀.png",
    "[red]a face.png": "[red]a face.png",
    "x" * 251 + ".png": "x" * 251 + ".png",
}


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_of_any_kind_are_reported_as_they_are_and_shown_on_one_line(
    invoke, tmp_path, kind, name
):
    source = draw_folder(tmp_path / "source", range(1))
    (source / name).write_bytes(b"no image")
    if kind == "zip":
        folder, source = source, tmp_path / "source.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for each, data in tree(folder).items():
                archive.writestr(each, data)
    build = partial(invoke, "dataset", "build", source, tmp_path / "pack", "--workers", 1)
    line = build("--max-bad", 0).refused(1)
    assert line.endswith(f": {NAMES[name]} (not an image of a known format)")
    build("--max-bad", 100).done()
    report = json.loads((tmp_path / "pack.report.json").read_text())
    assert [each["name"] for each in report["left_out"]] == [name]


def test_a_zip_of_very_many_entries_is_read(build, tmp_path, tries, figure):
    source, count = tmp_path / "many.zip", len(tries(10_000, 100_000))
    with zipfile.ZipFile(source, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.txt", b"")
        archive.writestr("face.png", encoded(draw_image(0), "PNG"))
    outcome = build(source)
    check_all_are_told(outcome, count + 1)
    assert outcome.seconds < 300
    figure(f"{count} entries; {outcome.seconds:.1f} s, {outcome.mebibytes} MiB")
