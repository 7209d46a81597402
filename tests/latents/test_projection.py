import pytest
import torch
from conftest import dcgan

from ganface.dataset.pack import Pack
from ganface.latents import projection
from ganface.latents.projection import mse, scaled_features
from ganface.latents.seeds import z_of
from ganface.models.dcgan import Generator
from ganface.models.generate import generate, latents_of
from ganface.models.snapshot import load_generator
from ganface.pictures.faces import short_names


@pytest.fixture(scope="module", autouse=True)
def _fewer_faces():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projection, "FACES", 32)
        yield


@pytest.fixture(scope="module")
def G(tiny_run):
    return load_generator(tiny_run.generator)[0]


@pytest.fixture(scope="module")
def own(G):
    """Faces of seeds 0 to 5."""
    return generate(G, z_of(range(6), 8))


def project(G, images, *arguments, **options):
    """Points and errors of images that have no names."""
    found = projection.project(G, images, [""] * len(images), *arguments, **options)
    return found.points, found.errors


def as_numbers(images):
    return images.float() / 127.5 - 1


def test_faces_of_G_come_back_from_z_near_their_own(G, own):
    points, errors = project(G, own, steps=100)
    before = mse(G(torch.zeros(6, 8)), as_numbers(own))
    nearest = torch.cdist(points["z"], z_of(range(100), 8)).argmin(1)
    came_back = nearest == torch.arange(6)
    assert came_back.sum() >= 5  # of so small a G one gets stuck
    for space in ("z", "z_plus"):
        assert (errors[space] < 0.05 * before)[came_back].all()


def test_from_where_it_is_perfect_it_does_not_go_away(G, own):
    """Adam's first steps are as long as its rate, whatever the slope."""
    points, errors = project(G, own, lambda x: z_of(range(6), 8), steps=2)  # noqa: ARG005
    assert torch.equal(points["z"], z_of(range(6), 8))
    assert (errors["z_plus"] <= 2e-5).all()


def test_errors_are_those_of_the_points(G, own):
    points, errors = project(G, own, steps=3)
    assert {space: each.shape for space, each in points.items()} == {
        "z": (6, 8),
        "z_plus": (6, G.places, 8),
    }
    for space, each in points.items():
        torch.testing.assert_close(errors[space], mse(G(each), as_numbers(own)))


def test_real_faces_are_nearer_in_z_plus(G, pack_file):
    _, errors = project(G, Pack(pack_file).batch(range(8)), steps=60)
    assert errors["z_plus"].mean() < errors["z"].mean()


def test_no_face_depends_on_the_others_of_its_batch(G, own, monkeypatch):
    together, _ = project(G, own, steps=3)
    monkeypatch.setattr(projection, "BATCH", 4)
    apart, _ = project(G, own, steps=3)
    for space, points in together.items():
        torch.testing.assert_close(points, apart[space], rtol=1e-3, atol=1e-3)


def test_it_starts_at_the_encoder_s_guess(G, own, monkeypatch):
    monkeypatch.setattr(projection, "RATE_NEAR", 0.0)

    def E(x):
        assert x.shape == (6, 3, 32, 32)
        return z_of(range(6), 8)

    points, _ = project(G, own, E, steps=1)
    assert torch.equal(points["z"], z_of(range(6), 8))


def test_without_one_it_starts_half_way_to_the_most_alike_of_its_own(G, own, monkeypatch):
    monkeypatch.setattr(projection, "RATE", 0.0)
    points, _ = project(G, own, steps=1)
    assert torch.equal(points["z"], 0.5 * z_of(range(6), 8))


def test_where_only_the_first_layer_reads_z_there_is_no_z_plus():
    G = Generator(dcgan()).eval().requires_grad_(False)
    points, errors = project(G, generate(G, z_of(range(2), 8)), steps=2)
    assert [*points] == [*errors] == ["z"]


def test_a_G_that_draws_one_colour_alone_leads_to_no_nan():
    G = Generator(dcgan(modulate=True)).eval().requires_grad_(False)
    for parameter in G.parameters():
        parameter.zero_()
    points, errors = project(G, torch.zeros(2, 3, 32, 32, dtype=torch.uint8), steps=3)
    assert all(each.isfinite().all() for each in (*points.values(), *errors.values()))


def test_features_tell_an_edge_from_a_blur(G):
    """Of images of one MSE, the one that has lost its edges is further away."""
    stripes = torch.ones(1, 3, 32, 32)
    stripes[..., ::2] = -1
    features_of = scaled_features(G(z_of(range(32), 8)))

    def distance(images):
        return (features_of(images) - features_of(stripes)).square().mean()

    grey, darker = torch.zeros_like(stripes), stripes - 1
    assert mse(stripes, grey) == mse(stripes, darker) == 1
    assert distance(grey) > 2 * distance(darker)


def test_progress_has_a_step_for_each(G, own):
    seen = []

    def track(items, total):
        seen.append(total)
        for item in items:
            seen.append(item)
            yield item

    project(G, own, steps=3, track=track)
    assert seen[0] == len(seen) - 1 == 6


def test_an_image_is_far_where_no_face_of_G_is_near(G, own):
    noise = torch.randint(256, (1, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    images = torch.cat([own[:2], noise.to(torch.uint8), own[4:]])
    found = projection.project(G, images, list("abcde"), steps=60)
    assert found.far == [2]
    assert torch.equal(found.latents.points, found.points["z_plus"])
    assert short_names(found.latents) == list("abcde")  # beside them in walks
    faces = as_numbers(generate(G, z_of(range(32), 8)))
    expected = (faces - faces.mean(0)).square().mean().item()
    assert found.variance == pytest.approx(expected, rel=0.01)


def test_labels_are_those_of_the_most_alike_of_its_own_and_stay():
    G = Generator(dcgan(modulate=True, labels={"hair": ("aqua", "red")})).eval()
    G.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in G.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
        G.examples[:, 0] = 1
        G.examples[5] = 2
    points, _ = project(G.requires_grad_(False), generate(G, latents_of(G, range(4, 7))), steps=3)
    assert points["z"][:, 8:].tolist() == [[1, 0], [0, 1], [1, 0]]
    assert torch.equal(points["z_plus"][..., 8:], points["z"][:, None, 8:].expand(-1, 4, -1))
