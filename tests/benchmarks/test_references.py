"""The scripts that ganface is measured against do the same work, with the same networks."""

import json

import conftest
import pytest
import reference_dcgan
import reference_ingest
import reference_sample
import torch
from conftest import dcgan
from PIL import Image

from ganface.config.architecture import SIZES
from ganface.io.run import Run
from ganface.latents.seeds import z_of
from ganface.models.dcgan import Discriminator, Generator
from ganface.models.snapshot import load_generator

TINY = ("--size", "32", "--width", "4", "--z-dim", "8", "--workers", "0", "--device", "cpu")


@pytest.fixture
def folder(faces, tmp_path):
    """`faces` as ImageFolder wants it."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "all").symlink_to(faces, target_is_directory=True)
    return tmp_path / "root"


@pytest.mark.parametrize("size", SIZES)
def test_the_networks_are_those_of_ganface(size):
    z, images = torch.randn(4, 8), torch.randn(4, 3, size, size)
    ours, theirs = Generator(dcgan(size, 8, 4)), reference_dcgan.generator(size, 8, 4)
    theirs.load_state_dict(ours.layers.state_dict())
    torch.testing.assert_close(theirs(z[:, :, None, None]), ours(z))

    ours, theirs = Discriminator(dcgan(size, width=4)), reference_dcgan.discriminator(size, 4)
    theirs.load_state_dict(ours.layers.state_dict())
    torch.testing.assert_close(theirs(images).flatten(), ours(images).sigmoid())


def test_training_goes_from_epoch_to_epoch_and_prints_every_step(folder, tmp_path, capsys):
    times = tmp_path / "times.json"
    reference_dcgan.main([str(folder), *TINY, "--steps", "3", "--json", str(times)])
    assert len(capsys.readouterr().out.splitlines()) == 3
    result = json.loads(times.read_text())
    assert result["images"] == [64, 100, 164]  # of 100 images; the last batch is a small one
    assert 0 < result["seconds"][0] < result["seconds"][1] < result["seconds"][2]


def test_ingestion_reads_every_image_once(folder, capsys, monkeypatch):
    opened = []
    original = Image.open
    monkeypatch.setattr(Image, "open", lambda file: opened.append(file.name) or original(file))
    reference_ingest.main(str(folder), "32")
    count, seconds = json.loads(capsys.readouterr().out)
    assert count == len(opened) == len(set(opened)) == 100
    assert seconds > 0


def test_sampling_draws_with_the_weights_of_the_snapshot(pack_file, invoke, tmp_path):
    tiny_run = Run(tmp_path / "run")
    options = ("--preset", "dcgan", "--steps", 5)
    invoke("train", pack_file, "--out", tiny_run.path, *conftest.TINY, *options).done()
    z = z_of(range(4), 8)
    ours, _ = load_generator(tiny_run.generator)
    theirs = reference_sample.load(str(tiny_run.generator))
    with torch.no_grad():
        torch.testing.assert_close(theirs(z[:, :, None, None]), ours(z))

    out = tmp_path / "faces"
    reference_sample.main([str(tiny_run.generator), str(out), "--count", "66", "--device", "cpu"])
    files = sorted(out.iterdir())
    assert [file.name for file in files] == [f"{index:06d}.png" for index in range(66)]
    with Image.open(files[-1]) as face:
        assert face.size == (32, 32)


def test_a_seeded_training_draws_the_same_faces_again(folder, tmp_path, capsys):
    for name in ("one", "two"):
        faces = str(tmp_path / name)
        options = ("--steps", "2", "--seed", "3", "--faces", faces, "--count", "70")
        reference_dcgan.main([str(folder), *TINY, *options])
    capsys.readouterr()
    assert conftest.tree(tmp_path / "one") == conftest.tree(tmp_path / "two")
    assert len(conftest.tree(tmp_path / "one")) == 70
