import pytest
import torch

from ganface.dataset.pack import Pack
from ganface.evaluation.memorisation import evened, nearest
from ganface.evaluation.pairs import (
    AFTER,
    GAP,
    HEAD,
    MARGIN,
    NEIGHBOURS,
    PAIRS,
    TITLE,
    Neighbour,
    Pair,
    closest_pairs,
    draw_pairs,
)


@pytest.fixture
def reals(pack_file):
    return Pack(pack_file)


def find(samples, training, indices=None):
    a, b = evened(samples), evened(training)
    return closest_pairs(nearest(a, b), indices or range(len(a)), a, b)


def test_the_nearest_samples_come_first_and_no_training_image_twice(reals):
    training = reals.batch(range(100))
    dice = torch.Generator().manual_seed(0)
    noise = torch.randn(training.shape, generator=dice) * torch.linspace(1, 60, 100).view(
        -1, 1, 1, 1
    )
    samples = (training + noise).clamp(0, 255).to(torch.uint8)
    pairs = find(torch.cat([samples, samples]), training, [*range(1000, 1200)])
    assert len(pairs) == PAIRS
    distances = [pair.nearest[0].distance for pair in pairs]
    assert distances == sorted(distances)
    shown = [near.training for pair in pairs for near in pair.nearest]
    assert len(shown) == len(set(shown)) == PAIRS * NEIGHBOURS
    assert all(
        pair.sample in (1000 + p, 1100 + p) for pair in pairs for p in [pair.nearest[0].training]
    )


def test_samples_that_are_all_alike_are_one_pair(reals):
    training = reals.batch(range(20))
    assert len(find(training[:1].repeat(50, 1, 1, 1), training)) == 1


def test_few_training_images_have_few_neighbours(reals):
    training = reals.batch(range(2))
    (pair, *others) = find(training, training)
    assert len(pair.nearest) == 2
    assert others == []


def test_a_sheet_shows_samples_beside_what_is_nearest_turned_as_it_is(reals):
    pairs = [
        Pair(3, [Neighbour(3, False, 0.0), Neighbour(4, True, 0.5)]),
        Pair(5, [Neighbour(6, False, 0.7)]),
    ]
    sheet = draw_pairs(reals, reals, pairs, 0.2, 0.3, 1000)

    def shown(column):  # 32 × 32, three times as large
        left = MARGIN + column * (96 + GAP) + (AFTER if column else 0)
        image = sheet.crop((left, TITLE + HEAD, left + 96, TITLE + HEAD + 96))
        return image.resize((32, 32), 0).tobytes()

    def real(index, flip=False):
        image = reals.batch([index])[0]
        return (image.flip(2) if flip else image).permute(1, 2, 0).contiguous().numpy().tobytes()

    assert [shown(0), shown(1), shown(2)] == [real(3), real(3), real(4, flip=True)]
    assert draw_pairs(reals, reals, pairs * 2, 0.2, 0.3, 1000).height > sheet.height
