import learnt
import pytest
import torch

from ganface.dataset.pack import Pack


@pytest.fixture
def judge(pack_file, home, monkeypatch):
    monkeypatch.setattr(learnt, "STEPS", 4)
    monkeypatch.setattr(learnt, "BATCH", 16)
    return learnt.Judge(Pack(pack_file), home / "features.safetensors")


def test_copies_are_changed_and_stay_images():
    images = torch.rand(50, 3, 64, 64) * 2 - 1
    copies = learnt.changed(images, torch.Generator().manual_seed(0))
    assert copies.shape == images.shape
    assert copies.abs().max() < 2
    assert ((copies - images).abs().mean((1, 2, 3)) > 0.05).all()


def test_reals_are_near_and_noise_is_far(judge, pack_file):
    pack = Pack(pack_file)
    reals = judge.measure(pack.batch(range(len(pack))))
    noise = judge.measure(torch.randint(256, (100, 3, 32, 32)).to(torch.uint8))
    assert judge.floors["learnt"] < noise["learnt"] / 3
    assert reals["coverage"] == 1
    assert noise["coverage"] < 0.8


def test_what_was_learnt_is_kept(judge, pack_file, home, monkeypatch):
    monkeypatch.delattr(learnt, "STEPS")  # to learn again would fail
    again = learnt.Judge(Pack(pack_file), home / "features.safetensors")
    assert again.floors == pytest.approx(judge.floors)
