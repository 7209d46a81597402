import zipfile

import pytest
from conftest import TINY

from ganface.config.dataset import BuildConfig
from ganface.errors import UserError
from ganface.evaluation.inputs import build_of, is_model
from ganface.io.run import Run


def test_a_folder_with_the_config_of_a_run_is_a_model_and_one_without_holds_images(
    tmp_path, tiny_run
):
    images = tmp_path / "images"
    images.mkdir()
    (images / "face.png").write_bytes(b"")
    assert is_model(tiny_run.path)
    assert not is_model(images)


def test_a_zip_or_a_pack_is_no_model_and_other_files_are_refused(tmp_path, tiny_run, pack_file):
    archive, other = tmp_path / "faces.zip", tmp_path / "notes"
    zipfile.ZipFile(archive, "w").close()
    other.write_text("no model at all")
    assert is_model(tiny_run.generator)
    assert not is_model(pack_file)
    assert not is_model(archive)
    with pytest.raises(UserError, match="not a file of ganface"):
        is_model(other)


def test_images_are_read_as_those_of_the_run_and_of_a_snapshot_alone_as_by_default(
    faces, invoke, tmp_path
):
    run = Run(tmp_path / "run")
    options = ("--out", run.path, "--cache", tmp_path / "cache", "--crop", "none", "--steps", 1)
    invoke("train", faces, *options, *TINY).done()
    as_trained = BuildConfig(size=32, crop="none")
    assert build_of(run.path, run.generator) == as_trained
    checkpoint = run.checkpoint(1)
    assert build_of(checkpoint, checkpoint) == as_trained
    assert build_of(run.generator, run.generator) == BuildConfig(size=32)
