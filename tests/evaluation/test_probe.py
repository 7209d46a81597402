import pytest
import torch
from conftest import dcgan
from untrained import untrained

from ganface.evaluation.probe import Measurements, make_probe
from ganface.latents.places import everywhere
from ganface.models.generate import latents_of

MEANS = Measurements("measured", lambda images: means(images), far=False)
COUNT = 70  # more than a batch


def means(images):
    """The mean of each colour, and what is the same of all."""
    colours = dict(zip(("red", "green", "blue"), images.mean((2, 3)).unbind(1), strict=True))
    return {**colours, "nothing": 0 * colours["red"]}


@pytest.fixture(scope="module")
def G():
    return untrained(dcgan(modulate=True, labels={"hair": ("red", "blue")}))


@pytest.fixture(scope="module")
def probed(G):
    """The latents of some faces, a probe made by them, and their table."""
    latents = latents_of(G, range(COUNT))
    return latents, *make_probe(G, MEANS, latents)


def test_what_differs_is_measured_in_standard_deviations(G, probed):
    latents, probe, table = probed
    assert probe.keys == ["red", "green", "blue"]
    levels = G(latents).double().mean((2, 3))
    expected = (levels - levels.mean(0)) / levels.std(0)
    # Images are measured as files hold them, rounded
    torch.testing.assert_close(table[:, :3], expected, rtol=0, atol=0.02)


def test_the_table_is_the_same_whoever_makes_it(G, probed):
    latents, probe, table = probed
    assert len(probe.factors) == table.shape[1] > 10
    found = probe.table(latents)
    torch.testing.assert_close(found[:, :13], table[:, :13], rtol=0, atol=0.1)
    torch.testing.assert_close(probe.table(everywhere(latents, G.places)), found)


def test_slopes_are_what_a_small_step_changes_in_each_place_averaged_over_faces(G, probed):
    latents, probe, _ = probed
    faces = everywhere(latents, G.places)
    columns = [5, 1, 0]
    slopes = probe.slopes(faces, columns)
    assert slopes.shape == (3, G.places, 8)
    for place, entry in [(0, 3), (1, 0), (G.places - 1, 7)]:
        step = torch.zeros_like(faces)
        step[:, place, entry] = 0.01
        change = (probe.table(faces + step) - probe.table(faces - step)).mean(0) / 0.02
        torch.testing.assert_close(slopes[:, place, entry], change[columns], rtol=0.05, atol=2e-3)
