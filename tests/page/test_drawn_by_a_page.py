"""The page's arithmetic, in a browser, beside PyTorch's."""

from dataclasses import asdict

import pytest
import torch
from conftest import dcgan
from untrained import untrained

from ganface.latents.directions import Direction, Directions
from ganface.latents.labels import parse_orders
from ganface.latents.latents import Latents, latents_of_seeds, ordered
from ganface.latents.paths import slerp, with_straight_labels
from ganface.latents.places import everywhere
from ganface.latents.seeds import z_of
from ganface.models.generate import generate, latents_of
from ganface.page.build import build_page

MODELS = {
    "the paper's": dcgan(z_dim=100, width=12),
    "few numbers of z": dcgan(z_dim=7, modulate=True, upsample="nearest"),
    "labels": dcgan(
        z_dim=48, size=64, modulate=True, labels={"hair": ("red", "blue"), "hat": ("yes",)}
    ),
}
ORIGIN = {"step": 1234, "snapshot": "0" * 64}
SEEDS = [*range(64), 2**32 + 7, 10**15]


def directions(places: int, z_dim: int) -> Directions:
    vectors = z_of(range(2 * places), z_dim).view(2, places, z_dim) / z_dim**0.5
    about = [Direction(name, "measured", 0.9, name, 1.0, "", 0.0) for name in ("hair-hue", "tilt")]
    return Directions(vectors, tuple(about))


@pytest.fixture(scope="module", params=MODELS)
def opened(request, browser, tmp_path_factory):
    """A model, its directions, and its page, from the disk."""
    G, folder = untrained(MODELS[request.param]), tmp_path_factory.mktemp("page")
    found = directions(G.places, G.config.z_dim)
    build_page(folder, G, "model", ORIGIN, found)
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    yield G, found, page
    page.close()


def drawn(page, script, argument=None):
    """Images that a script of the page returns: uint8 [N, 3, S, S]."""
    images = page.evaluate(f"given => ({script})(given).map(i => [i.width, ...i.data])", argument)
    side = images[0][0]
    pixels = torch.tensor([image[1:] for image in images], dtype=torch.uint8)
    pixels = pixels.view(-1, side, side, 4).permute(0, 3, 1, 2)
    assert (pixels[:, 3] == 255).all()
    return pixels[:, :3]


def near(faces, expected):
    assert faces.shape == expected.shape
    assert expected.float().std() > 20
    assert (faces.int() - expected.int()).abs().max() <= 1


def test_one_seed_is_one_face_here_as_well(opened):
    G, _, page = opened
    faces = drawn(page, "seeds => seeds.map(seed => imageOf(String(seed)))", SEEDS)
    near(faces, generate(G, latents_of(G, SEEDS)))


def test_z_is_pytorch_s(opened):
    G, _, page = opened
    z = page.evaluate("seeds => seeds.map(seed => [...zOf(String(seed))])", SEEDS)
    torch.testing.assert_close(torch.tensor(z), z_of(SEEDS, G.config.z_dim), atol=2e-6, rtol=0)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 31, 32, 100, 624, 1300])
def test_so_are_numbers_of_any_count(opened, n):
    _, _, page = opened
    z = torch.tensor([*page.evaluate("n => [...randn(12345, n)]", n)])
    torch.testing.assert_close(z, z_of([12345], n)[0], atol=2e-6, rtol=0)


def test_without_simd_the_same_is_drawn(opened):
    _, _, page = opened
    script = """() => {
      const compiled = G.block, one = imageOf("3");
      G.block = (...given) => block(G.numbers, ...given);
      const other = imageOf("3");
      G.block = compiled;
      return [one, other];
    }"""
    one, other = drawn(page, script)
    assert (one.int() - other.int()).abs().max() <= 1
    assert page.evaluate("String(G.block)") == "function 0() { [native code] }"


def test_without_webassembly_as_well(opened, browser):
    G, _, page = opened
    other = browser.new_page()
    other.add_init_script("delete window.WebAssembly")
    other.goto(page.url)
    assert other.evaluate("typeof WebAssembly") == "undefined"
    near(drawn(other, "() => [imageOf('3')]"), generate(G, latents_of(G, [3])))
    other.close()


def test_a_walk_is_what_interpolate_walks(opened):
    G, _, page = opened
    a, b = latents_of(G, [3, 4])
    walk = with_straight_labels(slerp, G.config.z_dim)
    faces = drawn(page, 'ts => ts.map(t => between("3", "4", t))', [0, 0.3, 1])
    near(faces, generate(G, torch.stack([walk(a, b, t) for t in (0, 0.3, 1)])))


def test_sliders_move_as_sample_moves(opened):
    G, found, page = opened
    moved = everywhere(latents_of(G, [5, 6]), G.places).clone()
    moved[..., : G.config.z_dim] += 1.5 * found.vectors[0] - 2 * found.vectors[1]
    page.evaluate("state.moves = {'hair-hue': 1.5, tilt: -2}")
    near(drawn(page, '() => ["5", "6"].map(imageOf)'), generate(G, moved))
    page.evaluate("state.moves = {}; state.truncation = 0.5")
    nearer = latents_of(G, [5, 6])
    nearer[:, : G.config.z_dim] *= 0.5
    near(drawn(page, '() => ["5", "6"].map(imageOf)'), generate(G, nearer))
    page.evaluate("state.truncation = 1")


def test_labels_are_ordered_as_sample_orders_them(opened):
    G, _, page = opened
    if not G.config.labels:
        assert page.evaluate("attributes.length") == 0
        return
    latents: Latents = latents_of_seeds("0-7", G)
    orders = parse_orders("hair=blue", G.config.labels)
    page.evaluate("state.labels = {hair: 'blue'}")
    faces = drawn(page, "n => Array.from({length: n}, (_, i) => imageOf(String(i)))", 8)
    page.evaluate("state.labels = {}")
    near(faces, generate(G, ordered(latents, orders, G.config.labels).points))


def test_letters_typed_in_a_list_are_the_list_s(opened):
    G, _, page = opened
    for chosen in page.locator("select").all():
        chosen.press("n")
    assert page.evaluate("state.seeds") == "0-23"
    assert page.locator("select").count() == len(G.config.labels or {})


def test_a_mutation_is_as_likely_as_any_face(opened):
    _, _, page = opened
    script = "n => Array.from({length: n}, (_, i) => [...zOf(`${i}~${i + n}`)])"
    z = torch.tensor(page.evaluate(script, 300))
    assert abs(z.std() - 1) < 0.1
    first = torch.tensor(page.evaluate("[...zOf('7')]"))
    assert page.evaluate("[...zOf('7~9~12')]") != page.evaluate("[...zOf('7~12~9')]")
    near_first = torch.tensor(page.evaluate("[...zOf('7~9')]")) - first
    assert 0 < near_first.norm() < (z_of([9], len(first))[0] - first).norm()


def test_all_that_is_known_is_in_the_page(opened):
    G, found, page = opened
    model = page.evaluate("model")
    assert model["labels"] == {k: list(v) for k, v in (asdict(G.config)["labels"] or {}).items()}
    assert model["directions"] == found.names
    assert {name: model[name] for name in ORIGIN} == ORIGIN
