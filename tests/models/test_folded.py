import pytest
from conftest import dcgan
from untrained import untrained

from ganface.config.architecture import AscentConfig
from ganface.errors import UserError
from ganface.models.ascent import Ascent
from ganface.models.folded import FoldedGenerator, fold
from ganface.models.generate import generate, latents_of

KINDS = {
    "transposed": {},
    "nearest": {"upsample": "nearest", "size": 64},
    "modulated": {"upsample": "nearest", "modulate": True},
    "labelled": {"modulate": True, "labels": {"hair": ("red", "blue"), "hat": ("yes",)}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_folded_draws_what_g_draws(kind):
    G = untrained(dcgan(**KINDS[kind]))
    latents = latents_of(G, range(8))
    faces = generate(G, latents).int()
    z, labels = latents.split([8, latents.shape[1] - 8], 1)
    again = FoldedGenerator(fold(G))(z, labels if labels.numel() else None).int()
    assert faces.float().std() > 20
    assert (again - faces).abs().max() <= 1
    assert (again == faces).float().mean() > 0.999


def test_half_as_many_bits_of_the_weights_are_enough():
    G = untrained(dcgan(upsample="nearest", modulate=True, width=8))
    halved = fold(G, halves=True)
    z = latents_of(G, range(8))
    difference = (FoldedGenerator(halved)(z).int() - generate(G, z).int()).abs()
    assert 0 < difference.max() <= 2


def test_a_discriminator_that_climbs_cannot_be_folded():
    with pytest.raises(UserError, match="climbing"):
        fold(Ascent(AscentConfig(size=32, z_dim=8, width=4, norm="none")))
