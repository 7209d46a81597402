import pytest
import torch
from conftest import dcgan

from ganface.errors import UserError
from ganface.io.tensors import write_tensors
from ganface.latents.latents import choose_latents, latents_of_seeds, read_latents, save_latents
from ganface.latents.seeds import z_of
from ganface.models.dcgan import Generator

MODEL = {"sha256": "a" * 64, "step": 4}
META = {"snapshot": MODEL["sha256"], "step": 4, "errors": [0.1, 0.2]}
NAMES = ["b.png", "some/a.png"]


@pytest.fixture(scope="module")
def G():
    return Generator(dcgan(modulate=True))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "faces.safetensors"


def test_latents_of_seeds_are_their_z_under_their_names():
    latents = latents_of_seeds("3,0-1,3", Generator(dcgan(32, 8, 4)))
    assert torch.equal(latents.points, z_of((3, 0, 1, 3), 8))
    assert [each.name for each in latents.titles] == ["seed 3", "seed 0", "seed 1", "seed 3"]
    assert [each.meta["seeds"] for each in latents.titles] == ["3", "0", "1", "3"]
    assert latents.meta == {"seeds": "3,0-1,3"}
    once = latents.once()
    assert [each.stem for each in once.titles] == ["seed-000003", "seed-000000", "seed-000001"]
    assert torch.equal(once.points, z_of((3, 0, 1), 8))


@pytest.mark.parametrize("kinds", [("z",), ("z_plus",), ("z", "z_plus")])
def test_what_is_written_is_read_again_and_z_plus_before_z(file, G, kinds):
    points = {"z": z_of((1, 2), 8), "z_plus": torch.randn(2, G.places, 8)}
    digest = save_latents(file, {kind: points[kind] for kind in kinds}, NAMES, META)
    latents = choose_latents(None, file, G, MODEL)
    assert torch.equal(latents.points, points[kinds[-1]])
    assert [each.name for each in latents.titles] == ["latent of b.png", "latent of some/a.png"]
    assert len({each.stem for each in latents.titles}) == 2
    assert latents.meta == {"latents": digest}


def test_latents_of_another_snapshot_are_refused(file, G):
    save_latents(file, {"z": z_of((1, 2), 8)}, NAMES, META)
    with pytest.raises(UserError, match="latents of another snapshot, aaaaaaaaaaaa; this is bbbb"):
        read_latents(file, G, {"sha256": "b" * 64})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z": z_of((1, 2), 9)}, "do not fit"),
        ({"z": z_of((1, 2, 3), 8)}, "do not fit"),
        ({"z": z_of((1, 2), 8).double()}, "do not fit"),
        ({"z_plus": torch.zeros(2, 3, 8)}, "do not fit"),
        ({"other": z_of((1, 2), 8)}, "do not fit"),
        ({"z": torch.full((2, 8), torch.nan)}, "not a number"),
        ({"names": None}, "does not name"),
        ({"names": [1, 2]}, "does not name"),
        ({"names": []}, "does not name"),
        ({"snapshot": None}, "latents of another snapshot, None"),
    ],
)
def test_a_file_of_anybody_s_is_refused(file, G, change, message):
    tensors = {n: t for n, t in change.items() if isinstance(t, torch.Tensor)}
    meta = {**META, "names": NAMES, **{n: v for n, v in change.items() if n not in tensors}}
    write_tensors(file, "latents", tensors or {"z": z_of((1, 2), 8)}, meta)
    with pytest.raises(UserError, match=message):
        read_latents(file, G, MODEL)
