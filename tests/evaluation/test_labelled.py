import pytest
import torch

from ganface.config.dataset import BuildConfig
from ganface.dataset.pack import Labels, Pack, write_pack
from ganface.evaluation import labelled
from ganface.evaluation.labelled import Labelled

CPU = torch.device("cpu")


class Painted:
    """Images of one grey, dark or light, with some noise."""

    def __init__(self, kinds, deviation=20.0):
        self.kinds, self._deviation = kinds, deviation

    def __len__(self):
        return len(self.kinds)

    def batch(self, indices):
        images = []
        for index in indices:
            dice = torch.Generator().manual_seed(index)
            grain = self._deviation * torch.randn(3, 32, 32, generator=dice)
            images.append((60.0 + 120 * self.kinds[index] + grain).clamp(0, 255).to(torch.uint8))
        return torch.stack(images)


KINDS = [i % 2 for i in range(120)]
LABELS = torch.tensor([[1 + i % 3, 1 + kind] for i, kind in enumerate(KINDS)], dtype=torch.uint8)


@pytest.fixture
def judge(tmp_path, monkeypatch):
    """Of reals that are labelled with their grey, and with what nobody can see."""
    monkeypatch.setattr(labelled, "UPDATES", 25)
    path, painted = tmp_path / "p.safetensors", Painted(KINDS)
    with write_pack(path, BuildConfig(size=32)) as pack:
        for index in range(len(painted)):
            pack.add(painted.batch([index])[0].numpy().tobytes())
        rows = [bytes(row) for row in LABELS.tolist()]
        pack.labels = Labels({"luck": ("a", "b", "c"), "tone": ("dark", "light")}, rows)
    return Labelled(Pack(path), 120, CPU)


def test_what_can_be_seen_is_read_right_and_what_cannot_be_is_guessed(judge):
    assert judge.floors["accuracy_tone"] == 1
    assert judge.floors["accuracy_luck"] < 0.8
    figures = judge.measure(Painted(KINDS), range(120), LABELS)
    assert figures["accuracy_tone"] == 1
    assert figures["diversity_within"] == pytest.approx(1, abs=1e-4)


def test_faces_that_do_not_obey_and_are_all_alike_are_found_out(judge):
    others = Painted([1 - kind for kind in KINDS], deviation=2.0)
    figures = judge.measure(others, range(120), LABELS)
    assert figures["accuracy_tone"] == 0
    assert figures["diversity_within"] < 0.7


def test_what_was_not_asked_for_does_not_count(judge):
    unknown = LABELS.clone()
    unknown[:60, 1] = 0
    kinds = [1 - kind for kind in KINDS[:60]] + KINDS[60:]
    figures = judge.measure(Painted(kinds), range(120), unknown)
    assert figures["accuracy_tone"] == 1
    unknown[:, 1] = 0
    assert "accuracy_tone" not in judge.measure(Painted(KINDS), range(120), unknown)


def test_what_too_few_faces_tell_of_is_left_out(judge):
    figures = judge.measure(Painted(KINDS), range(9), LABELS)
    assert set(figures) == {"accuracy_luck", "accuracy_tone"}
