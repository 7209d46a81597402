import pytest
import torch
from conftest import dcgan
from untrained import untrained

from ganface.evaluation.probe import Measurements, Probe
from ganface.latents.places import everywhere
from ganface.models.generate import latents_of

LABELS = {"hair": ("red", "blue")}


@pytest.fixture(scope="module")
def G():
    return untrained(dcgan(modulate=True, labels=LABELS))


def means(images):
    """The mean of each colour."""
    return dict(zip(("red", "green", "blue"), images.mean((2, 3)).unbind(1), strict=True))


def probe_of(G):
    return Probe(G, Measurements("measured", means), ["blue", "red"], torch.tensor([2.0, 0.5]))


def test_faces_are_measured_in_standard_deviations_in_the_order_of_the_keys(G):
    latents = latents_of(G, range(70))  # more than a batch
    found = probe_of(G).table(latents)
    levels = (G(latents).double().mean((2, 3)) + 1) * 127.5
    expected = torch.stack([levels[:, 2] / 2, levels[:, 0] / 0.5], 1)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert torch.equal(found, probe_of(G).table(everywhere(latents, G.places)))


def test_slopes_are_what_a_small_step_changes_in_each_place_averaged_over_faces(G):
    faces = everywhere(latents_of(G, range(70)), G.places)
    probe = probe_of(G)
    slopes = probe.slopes(faces, [1, 0])
    assert slopes.shape == (2, G.places, 8)
    for place, entry in [(0, 3), (1, 0), (G.places - 1, 7)]:
        step = torch.zeros_like(faces)
        step[:, place, entry] = 0.01
        change = (probe.table(faces + step) - probe.table(faces - step)).mean(0) / 0.02
        expected = change[[1, 0]]
        torch.testing.assert_close(slopes[:, place, entry], expected, rtol=0.02, atol=1e-3)
