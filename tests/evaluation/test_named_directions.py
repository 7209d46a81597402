from types import SimpleNamespace

import pytest
import torch
from conftest import dcgan
from torch import nn

from ganface.errors import UserError, WorkError
from ganface.evaluation import named_directions
from ganface.evaluation.named_directions import find_directions, layers_that_read_z, slugs
from ganface.evaluation.probe import Measurements
from ganface.latents.directions import length
from ganface.models.dcgan import Generator

Z_DIM = 5


class Patches(Generator):
    """Draws four flat patches, whose brightness are these rows times z."""

    places = 1

    def __init__(self, rows):
        nn.Module.__init__(self)
        self.config = SimpleNamespace(z_dim=Z_DIM, labels=None)
        self.rows = nn.Parameter(torch.tensor(rows))

    def forward(self, z):
        return self.patches(z.flatten(1))

    def patches(self, z):
        levels = (z @ self.rows.T).unflatten(1, (2, 2)) / 10 + 0.002  # not between two greys
        return levels[:, None].repeat_interleave(16, 2).repeat_interleave(16, 3).repeat(1, 3, 1, 1)


def patch_levels(images):
    grey = images.double().mean(1)
    corners = {"Hair (top)": grey[:, 0, 0], "skin": grey[:, 0, 31], "eye": grey[:, 31, 0]}
    return {**corners, "eye twice": 2 * grey[:, 31, 0], "nothing": 0 * grey[:, 31, 31]}


MEASURED = Measurements("labelled", patch_levels, True, {"eye twice": "eye"})


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    for name, number in {"SEEDS": 300, "POINTS": 2, "MOVED": 10}.items():
        monkeypatch.setattr(named_directions, name, number)


def test_each_measurement_has_a_direction_without_the_others():
    # Hair and skin both hang on entry 1; skin alone on entry 2
    G = Patches([[1.0, 2, 0, 0, 0], [0.0, 1, 1, 0, 0], [0.0, 0, 0, 1, 0], [0.0, 0, 0, 0, 0]])
    found = find_directions(G, "jacobian", 2, MEASURED)
    assert sorted(found.names[:4]) == ["eye", "eye-twice", "hair-top", "skin"]
    hair = found[[found.names.index("hair-top")]]
    (about,) = hair.about
    assert (about.found_by, about.moves) == ("labelled", "hair-top")
    assert about.strength > 0.99
    # Along what skin does not hang on: (1, 2, 0) without its part of (0, 1, 1), nearly
    expected = torch.tensor([1.0, 1, -1, 0, 0])
    assert hair.vectors[0, 0] @ expected / expected.norm() > 0.99
    # Of its standard deviation, √5, it moves (1, 2, 0) · (1, 1, -1) / √3
    assert about.move == pytest.approx(3 / 3**0.5 / 5**0.5, abs=0.1)
    assert about.side_move < 0.1
    eye = found.about[found.names.index("eye")]
    assert eye.also_moves in ("skin", "hair-top")  # and not its own double
    assert eye.move == pytest.approx(1, abs=0.05)
    torch.testing.assert_close(length(found.vectors), torch.ones(6))


def test_those_without_labels_are_named_after_what_they_move():
    G = Patches([[0.0, 0, -3, 0, 0], [1.0, 0, 0, 0, 0], [0.0, 0, 0, 0, 0], [0.0, 0, 0, 0, 1]])
    found = find_directions(G, "jacobian", 4, MEASURED)
    free = found.about[-4:]
    assert [each.name for each in free[:2]] == ["jacobian-1-hair-top", free[1].name]
    assert free[0].strength == pytest.approx(9 / 11, abs=0.01)
    assert free[0].found_by == "jacobian"
    # The sign is such that hair becomes brighter
    torch.testing.assert_close(found.vectors[-4, 0], torch.tensor([0.0, 0, -1, 0, 0]))
    assert free[0].move == pytest.approx(1, abs=0.05)
    # Nothing moves along the fourth, so it has no name but its number
    assert free[3].name == "jacobian-4"


def test_a_side_effect_that_both_ends_share_is_seen():
    class Bent(Patches):
        def patches(self, z):
            bent = z[:, 0].square() - 1 + z[:, 1] / 2
            return super().patches(torch.cat([z[:, :1], bent[:, None], z[:, 2:]], 1))

    G = Bent([[1.0, 0, 0, 0, 0], [0.0, 1, 0, 0, 0], [0.0, 0, 0, 1, 0], [0.0, 0, 0, 0, 0]])
    found = find_directions(G, "jacobian", 1, MEASURED)
    hair = found.about[found.names.index("hair-top")]
    assert hair.also_moves == "skin"
    assert hair.side_move > 0.5


def test_what_nothing_moves_far_gets_no_direction_and_is_named(capsys):
    class Noisy(Patches):
        def patches(self, z):
            noise = (1000 * z[:, 1:2]).sin()
            return super().patches(torch.cat([z[:, :1], noise, z[:, 2:]], 1))

    G = Noisy([[1.0, 0, 0, 0, 0], [0.0, 1, 0, 0, 0], [0.0, 0, 0, 1, 0], [0.0, 0, 0, 0, 0]])
    found = find_directions(G, "jacobian", 1, MEASURED)
    assert sorted(found.names[:3]) == ["eye", "eye-twice", "hair-top"]
    assert len(found.vectors) == len(found.about) == 4
    assert "nothing in z moves them far: skin\n" in capsys.readouterr().err


@pytest.mark.parametrize("slope", [0.0, 1e-5])
def test_a_generator_of_one_face_fails_in_one_line(slope):
    """Also if the faces differ by what no image shows."""
    with pytest.raises(WorkError, match="all faces of this generator are alike"):
        find_directions(Patches([[slope] * Z_DIM] * 4), "jacobian", 1, MEASURED)


def test_sefa_takes_the_weights_of_each_layer_that_reads_z():
    G = Generator(dcgan(modulate=True)).eval().requires_grad_(False)
    weights = layers_that_read_z(G)
    assert len(weights) == G.places
    # The first layer's are those that it applies
    z = torch.randn(1, 8)
    product = (z @ weights[0].T).view(-1, 4, 4)
    torch.testing.assert_close(product, G.layers[0](z[:, :, None, None])[0])
    assert torch.equal(weights[1], G.modulated[0].hidden.weight)


def test_without_modulated_layers_there_is_no_sefa():
    with pytest.raises(UserError, match="--by sefa: needs a generator whose layers are modulated"):
        layers_that_read_z(Generator(dcgan(modulate=False)))


def test_slugs_are_plain_and_unique():
    texts = ["hair_style=swept", "Hair  Style Swept", "髪", "眼", "x"]
    assert slugs(texts) == ["hair-style-swept", "hair-style-swept-2", "unnamed", "unnamed-2", "x"]
