"""Bits that flip and files that are cut off: found by checksum, named, and never drawn from."""

import random
import shutil

import pytest
from runs import content

from ganface.dataset.pack import Pack
from ganface.errors import UserError
from ganface.io.run import Run, read_config, write_config
from ganface.io.stats import StatsFile
from ganface.methods.gan import Gan
from ganface.methods.gan_verdict import judge, relevant
from ganface.models.snapshot import load_generator
from ganface.pictures.plot import draw_plot
from ganface.pictures.png import read_png_meta
from ganface.training.checkpoint import newest_good


def damaged(path, dice, number):
    """Flip a bit of the file, or cut it off; half of all flips are in what is not tensors."""
    data = bytearray(path.read_bytes())
    if number % 2:
        header = 8 + int.from_bytes(data[:8], "little")
        byte = dice.randrange(header if number % 4 == 1 else len(data))
        data[byte] ^= 1 << dice.randrange(8)
        path.write_bytes(data)
        return f"bit of byte {byte}"
    length = dice.randrange(len(data))
    path.write_bytes(data[:length])
    return f"cut to {length} bytes"


def open_and_read(path):
    pack = Pack(path)
    pack.batch(range(len(pack)))


@pytest.mark.parametrize("kind", ["snapshot", "checkpoint", "pack"])
def test_damage_is_found_and_named_and_no_picture_is_made(
    tiny_run, pack_file, tmp_path, home, invoke, tries, figure, kind
):
    whole, command, read = {
        "snapshot": (tiny_run.generator, "sample", load_generator),
        "checkpoint": (tiny_run.checkpoint(12), "sample", load_generator),
        "pack": (pack_file, "info", open_and_read),
    }[kind]
    path, dice = tmp_path / "file.safetensors", random.Random(kind)
    for number in tries(100, 1000):
        shutil.copy(whole, path)
        what = damaged(path, dice, number)
        with pytest.raises(UserError) as caught:
            read(path)
        assert str(path) in str(caught.value), what
        if number % 20 < 2:  # the whole command is the same code, but slower
            assert str(path) in invoke(command, path).refused(), what
            assert not any(home.iterdir())
    half = len(tries(100, 1000)) // 2
    figure(f"{half} flipped bits and {half} cut off: all found and named")


def test_a_damaged_checkpoint_is_passed_over_and_the_run_ends_as_undisturbed(
    pack_file, tmp_path, undisturbed, invoke, tries, figure
):
    expected, dice = content(undisturbed), random.Random(2)
    for number in tries(3, 50):
        run = Run(shutil.copytree(undisturbed.path, tmp_path / str(number)))
        newest = max(run.checkpoints())
        what = damaged(run.checkpoint(newest), dice, number)
        before = sorted(run.checkpoints())[-2]
        meta, _, complaints = newest_good(run)
        assert meta["step"] == before, what
        assert [str(run.checkpoint(newest)) in each for each in complaints] == [True]
        if number < 5:
            result = invoke("train", pack_file, "--out", run.path, "--resume")
            assert result.code == 0, what
            assert f"going on from step {before}" in result.err
            assert f"{run.checkpoint(newest)}: " in result.err
            run.checkpoint(newest).with_suffix(".set-aside").unlink()
            assert content(run) == expected
    figure(f"{len(tries(3, 50))} damaged, each passed over for the one before")


def test_other_damage_in_a_run_directory_stops_nothing(
    pack_file, tmp_path, undisturbed, invoke, tries
):
    """Pictures, snapshots and statistics are drawn and written anew, or left out with a word."""
    dice = random.Random(3)
    names = ["reals.png", "latest.png", "timeline.png", "generator.safetensors", "best.safetensors"]
    names += ["stats.jsonl", "grids/step-000010.png", "snapshots/step-000010.safetensors"]
    for number in tries(2, 20):
        run = Run(shutil.copytree(undisturbed.path, tmp_path / str(number)))
        for name in names:
            path = run.path / name
            data = path.read_bytes()
            path.write_bytes(data[: len(data) // 2] if number % 2 else dice.randbytes(500))
        result = invoke("train", pack_file, "--out", run.path, "--resume", "--steps", 70)
        assert result.code == 0, result.err
        grid = run.path / "grids/step-000010.png"
        assert f"{grid}: no PNG, or damaged (" in result.err
        assert read_png_meta(run.timeline)["steps"] == [25, 40, 60, 70]
        assert invoke("plot", run.path, "--out", tmp_path / f"{number}.png").code == 0


def test_whatever_bit_of_the_statistics_flips_a_verdict_and_a_plot_follow(
    undisturbed, tmp_path, tries
):
    whole, path, dice = undisturbed.stats.read_bytes(), tmp_path / "stats.jsonl", random.Random(0)
    for number in tries(300, 20_000):
        data = bytearray(whole)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        path.write_bytes(data)
        lines = StatsFile(path, 100).lines
        assert len(lines) >= len(whole.splitlines()) - 2
        judge(relevant(lines))
        if number % 100 == 0:
            draw_plot(lines, Gan.panels)


@pytest.mark.parametrize("damage", ["cut", "removed", "changed"])
def test_settings_that_were_damaged_are_taken_from_the_checkpoints(
    pack_file, tmp_path, undisturbed, invoke, damage
):
    run = Run(shutil.copytree(undisturbed.path, tmp_path / "run"))
    run.checkpoint(max(run.checkpoints())).unlink()
    again = ("train", pack_file, "--out", run.path, "--resume")
    text = run.config.read_text()
    run.config.write_text(text[:500] if damage == "cut" else text.replace("0.0002", "0.0003"))
    if damage == "removed":
        run.config.unlink()
    result = invoke(*again)
    assert result.code == 0
    what = "is missing" if damage == "removed" else "damaged"
    assert f"{run.config}: {what}; the checkpoints' settings hold" in result.err
    assert content(run) == content(undisturbed)


def test_settings_of_another_run_are_refused(pack_file, tmp_path, undisturbed, invoke):
    run = Run(shutil.copytree(undisturbed.path, tmp_path / "run"))
    config = read_config(run)
    write_config(run, {**config, "train": {**config["train"], "lr": 3e-4}})
    line = invoke("train", pack_file, "--out", run.path, "--resume").refused()
    assert f"{run.config}: does not fit the checkpoints (--lr was 0.0003, now 0.0002)" in line


def test_any_bit_of_the_settings_that_flips_is_noticed(undisturbed, tmp_path, capfd, tries):
    run = Run(shutil.copytree(undisturbed.path, tmp_path / "run"))
    settings, whole, dice = read_config(run), run.config.read_bytes(), random.Random(4)
    for _ in tries(100, 2_000):
        data = bytearray(whole)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        run.config.write_bytes(data)
        found = read_config(run)
        assert {key: found[key] for key in settings} == settings
        assert found == settings or "damaged" in capfd.readouterr().err


def test_a_damaged_pack_in_the_cache_is_named_with_what_to_do(faces, tmp_path, invoke):
    cache = tmp_path / "cache"
    options = ("--cache", cache, "--out", tmp_path / "run", "--steps", 60, "--width", 4)
    options += ("--batch-size", 16, "--size", 32)
    assert invoke("train", faces, *options).code == 0
    (pack,) = cache.glob("*.safetensors")
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    line = invoke("train", faces, *options[:-6], "--resume", "--steps", 70).failed()
    assert line.startswith(f"ganface: {pack}: image ")
    assert "remove it" in line
    pack.unlink()
    assert invoke("train", faces, *options[:4], "--resume", "--steps", 70).code == 0
