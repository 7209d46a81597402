import pytest
import torch
from conftest import draw_folder

from ganface.config.dataset import BuildConfig
from ganface.dataset.build import build_pack
from ganface.dataset.pack import Pack
from ganface.errors import UserError
from ganface.evaluation.drawn import CHUNK, choose, extract_features
from ganface.evaluation.evaluate import Evaluation, split_size

COUNT = 100


@pytest.fixture(scope="module")
def reals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reals")
    draw_folder(folder / "faces", range(250))
    build_pack(folder / "faces", folder / "pack.safetensors", BuildConfig(size=32), workers=1)
    return Pack(folder / "pack.safetensors")


@pytest.fixture(scope="module")
def evaluation(reals):
    return Evaluation(reals, COUNT, torch.device("cpu"))


@pytest.fixture(scope="module")
def split(reals):
    chosen = choose(reals, 2 * COUNT)
    return chosen[:COUNT], chosen[COUNT:]


class Changed:
    """The reals, but changed."""

    def __init__(self, reals, change):
        self._reals, self._change = reals, change

    def __len__(self):
        return len(self._reals)

    def batch(self, indices):
        return self._change(self._reals.batch(indices))


def test_the_split_takes_each_real_once_and_is_always_the_same(reals, split):
    assert len({*split[0], *split[1]}) == 2 * COUNT
    assert choose(reals, 2 * COUNT) == split[0] + split[1]
    assert sorted(choose(reals, 1000)) == [*range(250)]


def test_the_reference_is_no_way_from_itself(evaluation, reals, split):
    figures, _ = evaluation.measure(reals, split[0])
    assert figures == {
        "frechet": pytest.approx(0, abs=1e-2),
        "swd": 0,
        "swd_32": 0,
        "swd_16": 0,
        "density": pytest.approx(1.2, abs=0.03),  # the fifth neighbours lie on the edge
        "coverage": 1,
        "diversity": pytest.approx(1),
        "sharpness": pytest.approx(1),
        "memorised": 1,
    }


def test_other_reals_are_at_the_floors(evaluation, reals, split):
    figures, _ = evaluation.measure(reals, split[1])
    assert {**figures, "memorised": 0.05} == evaluation.floors
    assert figures["memorised"] == 1  # they are of the training images, though


def test_faces_that_are_all_alike_are_neither_diverse_nor_cover_much(evaluation, reals, split):
    alike = Changed(reals, lambda images: reals.batch(split[1][:1]).expand_as(images))
    figures, _ = evaluation.measure(alike, split[1])
    assert figures["diversity"] == pytest.approx(0, abs=0.01)
    assert figures["coverage"] < 0.2
    assert figures["frechet"] > 2 * evaluation.floors["frechet"]


def test_faces_that_are_darker_are_far_and_cover_less(evaluation, reals, split):
    figures, _ = evaluation.measure(Changed(reals, lambda images: images // 3), split[1])
    assert figures["frechet"] > 2 * evaluation.floors["frechet"]
    assert figures["coverage"] < 0.7 * evaluation.floors["coverage"]
    assert figures["diversity"] < 0.7
    assert figures["memorised"] == 1  # they are training images for all that


def test_the_closest_pairs_come_first(evaluation, reals, split):
    fainter = Changed(reals, lambda images: images.clamp(max=254).flip(3))
    _, pairs = evaluation.measure(fainter, split[1])
    first = [pair.nearest[0] for pair in pairs]
    assert [near.training for near in first] == [pair.sample for pair in pairs]
    assert all(near.mirrored for near in first)
    distances = [near.distance for near in first]
    assert distances == sorted(distances)


@pytest.mark.parametrize(
    ("asked", "fakes", "reals", "count"), [(50, 50, 1000, 50), (50, 30, 1000, 30), (50, 50, 61, 30)]
)
def test_as_many_images_are_measured_as_there_are_on_both_sides(asked, fakes, reals, count):
    assert split_size(asked, fakes, reals) == count


@pytest.mark.parametrize(("fakes", "reals"), [(9, 100), (100, 19)])
def test_too_few_images_are_refused(fakes, reals):
    with pytest.raises(UserError, match="at least 10 and 20"):
        split_size(1000, fakes, reals)


def test_images_are_described_in_chunks_and_in_order(reals):
    indices = [*range(249, -1, -1), *range(250)]
    sizes = []

    def mean(images):
        sizes.append(len(images))
        return images.float().mean((1, 2, 3))

    (means,) = extract_features(reals, indices, [mean])
    assert sorted(sizes) == [CHUNK, CHUNK]
    torch.testing.assert_close(means, reals.batch(indices).float().mean((1, 2, 3)))
