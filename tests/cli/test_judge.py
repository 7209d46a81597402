import json

import pytest
import torch
from conftest import TINY, dcgan
from PIL import Image

from ganface.dataset.pack import Pack
from ganface.io.run import Run
from ganface.io.tensors import read_tensors, write_tensors
from ganface.models.dcgan import Discriminator
from ganface.models.snapshot import below
from ganface.pictures.png import read_png_meta


def answers(result):
    (line,) = result.done()
    return {each["name"]: each["logit"] for each in json.loads(line)["images"]}


def test_answers_are_those_of_the_checkpoint_s_own_D(tiny_run, pack_file, invoke):
    found = answers(invoke("judge", tiny_run.path, pack_file, "--json", "--out", "j.png"))
    _, tensors = read_tensors(tiny_run.checkpoint(max(tiny_run.checkpoints())), "checkpoint")
    D = Discriminator(dcgan(32, 8, 4, norm="none"))
    D.load_state_dict(below("D.", tensors))
    D.eval()
    pack = Pack(pack_file)
    images = pack.batch(list(range(len(pack)))).float() / 127.5 - 1
    with torch.no_grad():
        expected = D(images)
    assert len(found) == len(pack)
    for index, logit in enumerate(expected.tolist()):
        assert found[f"{pack_file}, image {index}"] == pytest.approx(logit, abs=1e-4)


def test_files_folders_and_faces_of_G_are_judged_together_realest_first(
    tiny_run, faces, home, invoke
):
    one = sorted(faces.rglob("*.png"))[0]
    result = invoke(
        "judge", tiny_run.path, one, faces, "--seeds", "0-4", "--json", "--out", "j.png"
    )
    images = json.loads(*result.done())["images"]
    names = [each["name"] for each in images]
    assert str(one) in names
    assert {f"seed {seed}" for seed in range(5)} < set(names)
    logits = [each["logit"] for each in images]
    assert logits == sorted(logits, reverse=True)
    assert all(0 < each["probability"] < 1 for each in images)
    meta = read_png_meta(home / "j.png")
    assert meta["kind"] == "judged"
    assert meta["step"] == max(tiny_run.checkpoints())
    assert {each["name"] for each in meta["images"]} <= set(names)


def test_a_loss_that_only_compares_is_measured_against_G(pack_file, invoke):
    train = ("train", pack_file, *TINY, "--steps", 2, "--milestones", 2, "--out", "rp")
    invoke(*train, "--loss", "rpgan", "--norm", "none").done()
    found = json.loads(*invoke("judge", "rp", "--seeds", "0-255", "--json").done())["images"]
    logits = torch.tensor([each["logit"] for each in found])
    expected = (logits - logits.mean()).sigmoid()
    torch.testing.assert_close(torch.tensor([e["probability"] for e in found]), expected)


def test_D_with_spectral_norm_is_loaded(pack_file, invoke):
    options = ("--spectral-norm", "--norm", "none", "--steps", 1, "--milestones", 1)
    invoke("train", pack_file, *TINY, *options, "--out", "sn").done()
    assert any("seed 0" in line for line in invoke("judge", "sn", "--seeds", "0-3").done())


def test_a_long_list_is_shown_at_its_ends_and_the_picture_holds_64(tiny_run, home, invoke):
    lines = invoke("judge", tiny_run.path, "--seeds", "0-99", "--out", "j.png").done()
    assert "… 80 more; --json has all" in lines
    with Image.open(home / "j.png") as sheet:
        assert sheet.width >= 8 * 64


def test_what_cannot_be_judged_is_refused_or_left_out(tiny_run, faces, tmp_path, invoke):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    assert "holds no D" in invoke("judge", tiny_run.generator, faces).refused()
    assert "no images: name some" in invoke("judge", tiny_run.path).refused()
    assert "not a snapshot or checkpoint" in invoke("judge", tiny_run.stats).refused()
    assert "there is no such file" in invoke("judge", tiny_run.path, tmp_path / "missing").refused()
    assert "not a pack" in invoke("judge", tiny_run.path, tiny_run.stats).refused()
    result = invoke("judge", tiny_run.path, broken)
    assert result.code == 2
    assert "left out: not an image of a known format" in result.err
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "a\x1b[31m\nb.png").write_bytes(next(faces.rglob("*.png")).read_bytes())
    (odd / "dangling.png").symlink_to(tmp_path / "nowhere.png")
    result = invoke("judge", tiny_run.path, odd, "--out", "odd.png")
    assert len(result.done()) == 4  # its head, one image, nothing, the picture
    assert "\x1b" not in result.out
    assert "1 left out that cannot be read" in result.err
    lines = invoke("judge", tiny_run.path, broken, "--seeds", "1", "--out", "j.png").done()
    assert lines[1].endswith("seed 1")


@pytest.mark.parametrize("lost", ["build", "train", "loss"])
def test_a_checkpoint_that_does_not_say_how_D_was_trained_is_refused(
    tiny_run, tmp_path, invoke, lost
):
    meta, tensors = read_tensors(tiny_run.checkpoint(12), "checkpoint")
    if lost == "loss":
        meta["train"]["loss"] = "nonsense"
    else:
        del meta[lost]
    path = tmp_path / "stranger.safetensors"
    write_tensors(path, "checkpoint", tensors, meta)
    assert "does not say how its D was trained" in invoke("judge", path, "--seeds", 1).refused()


def test_a_snapshot_that_keeps_D_answers_as_the_checkpoint(tmp_path, pack_file, faces, invoke):
    run = Run(tmp_path / "run")
    options = (*TINY, "--steps", 4, "--keep-discriminator")
    invoke("train", pack_file, "--out", run.path, *options).done()
    asked = [
        answers(invoke("judge", file, faces, "--json", "--out", f"{number}.png"))
        for number, file in enumerate((run.checkpoint(4), run.snapshot(4), run.generator))
    ]
    assert asked[0] == asked[1] == asked[2]
    sizes = [path.stat().st_size for path in (run.snapshot(4), run.checkpoint(4))]
    assert sizes[0] < sizes[1] / 2
    invoke("sample", run.snapshot(4), "--out", "faces.png").done()
