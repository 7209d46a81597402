import pytest
import torch
from test_features import discs

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
    scorer = Scorer(Fixed(discs(0, 600)), torch.device("cpu"))
    return lambda images: scorer.score(scorer.describe(images))


def test_the_reals_themselves_score_next_to_nothing(score):
    assert score(discs(0, 600)) < 0.2 * score(discs(1, 600))


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
def test_spoilt_images_score_worse_than_others_of_the_same_kind(score, spoil):
    others = discs(1, 600)
    assert score(spoil(others)) > 2 * score(others)


def test_fewer_reals_than_faces_will_do():
    scorer = Scorer(Fixed(discs(0, 100)), torch.device("cpu"))
    assert 0 < scorer.score(scorer.describe(discs(1, 300))) < 1000
