"""`ganface export`: the file draws what `sample` draws, without PyTorch."""

import json
import sys

import pytest
import torch
from conftest import TINY_STEPS, dcgan
from untrained import untrained

from ganface.errors import WorkError
from ganface.models import export
from ganface.models.folded import fold
from ganface.models.generate import generate, latents_of
from ganface.models.snapshot import load_generator

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def opened(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def test_the_file_draws_any_number_of_faces_and_says_what_it_is(tiny_run, invoke, home):
    (line,) = invoke("export", tiny_run.path, "--json").done()
    result = json.loads(line)
    assert result["out"] == "tiny.onnx"
    assert result["grey_levels"] <= 1
    G, meta = load_generator(tiny_run.generator)
    session = opened(home / "tiny.onnx")
    for count in (1, 5):
        z = latents_of(G, range(100, 100 + count))
        (images,) = session.run(None, {"z": z.numpy()})
        assert images.shape == (count, 3, 32, 32)
        difference = torch.from_numpy(images).int() - generate(G, z).int()
        assert difference.abs().max() <= 1
    about = json.loads(session.get_modelmeta().custom_metadata_map["ganface"])
    assert about == {
        "step": TINY_STEPS,
        "snapshot": meta["sha256"],
        "size": 32,
        "z_dim": 8,
        "labels": [],
    }


def test_labels_are_an_input_and_halves_are_half_as_large(tmp_path):
    labels = {"hair": ("red", "blue"), "hat": ("yes",)}
    G = untrained(dcgan(modulate=True, labels=labels, width=32, upsample="nearest", z_dim=100))
    sizes = {}
    for name in ("fp32", "fp16"):
        path = tmp_path / f"{name}.onnx"
        assert export.export_onnx(path, G, {"step": 1}, halves=name == "fp16") <= 1
        sizes[name] = path.stat().st_size
    assert sizes["fp16"] < 0.6 * sizes["fp32"]
    session = opened(path)
    assert [each.name for each in session.get_inputs()] == ["z", "labels"]
    latents = latents_of(G, [7, 8, 9])
    z, hot = latents.tensor_split([100], 1)
    (images,) = session.run(None, {"z": z.numpy(), "labels": hot.numpy()})
    assert (torch.from_numpy(images).int() - generate(G, latents).int()).abs().max() <= 1
    about = json.loads(session.get_modelmeta().custom_metadata_map["ganface"])
    assert about["labels"] == ["hair=red", "hair=blue", "hat=yes"]


def test_a_file_that_draws_other_faces_is_not_written(tmp_path, monkeypatch):
    G, other = untrained(dcgan()), untrained(dcgan())
    other.layers[0].weight.neg_()
    monkeypatch.setattr(export, "fold", lambda _, halves: fold(other, halves))
    with pytest.raises(WorkError, match="grey levels"):
        export.export_onnx(tmp_path / "wrong.onnx", G, {"step": 1}, halves=False)
    assert not (tmp_path / "wrong.onnx").exists()


def test_what_cannot_be_exported_is_refused(tiny_run, made, invoke, home, monkeypatch):
    assert "snapshot" in invoke("export", made["pack"]).refused()
    assert ".onnx" in invoke("export", tiny_run.path, "faces.png").refused()
    (home / "there.onnx").write_bytes(b"x")
    assert "exists already" in invoke("export", tiny_run.path, "there.onnx").refused()
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    refusal = invoke("export", tiny_run.path).refused()
    assert "pip install 'ganface[onnx]'" in refusal
