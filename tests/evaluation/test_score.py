import pytest
import torch
from discs import discs

from ganface.evaluation.score import Scorer


class Fixed:
    """Images that are given."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def batch(self, indices):
        return self.images[list(indices)]


@pytest.fixture(scope="module")
def score():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganface.evaluation.score.FACES", 600)
        scorer = Scorer(Fixed(discs(0, 600)), torch.device("cpu"))
        yield lambda images: scorer.score(scorer.extract_features(images))


@pytest.fixture(scope="module")
def least(score):
    """What other images of the same kind score."""
    return score(discs(1, 600))


def test_the_reals_themselves_score_next_to_nothing(score, least):
    assert score(discs(0, 600)) < 0.2 * least


@pytest.mark.parametrize(
    "spoil",
    [
        lambda images: images // 4,
        lambda images: images[:20].repeat(30, 1, 1, 1),
        lambda images: images[:, :, ::4, ::4].repeat_interleave(4, 2).repeat_interleave(4, 3),
        lambda images: torch.where(torch.rand(600, 1, 32, 32) < 0.1, 255, images),
    ],
    ids=["darker", "few kinds", "coarse", "speckled"],
)
def test_spoilt_images_score_worse_than_others_of_the_same_kind(score, least, spoil):
    assert score(spoil(discs(1, 600))) > 2 * least


def test_fewer_reals_than_faces_will_do():
    scorer = Scorer(Fixed(discs(0, 100)), torch.device("cpu"))
    assert 0 < scorer.score(scorer.extract_features(discs(1, 300))) < 1000
