"""`--latents`, in place of `--seeds`."""

import json

import pytest
import torch
from conftest import TINY_STEPS, tree
from pictures_made import pixels_of

from ganface.io.tensors import read_header
from ganface.latents.latents import save_latents
from ganface.latents.seeds import z_of
from ganface.models.snapshot import load_generator
from ganface.pictures.png import read_png_meta

NAMES = ["a.png", "b.png", "c.png"]


@pytest.fixture
def latents(tiny_run, home):
    """Files of the z of seeds 3, 1 and 2, of the newest checkpoint and of its snapshot."""
    models = {"checkpoint": tiny_run.checkpoint(TINY_STEPS), "snapshot": tiny_run.generator}
    for name, model in models.items():
        meta = {"snapshot": read_header(model).meta["sha256"], "errors": [0.1, 0.2, 0.3]}
        save_latents(home / f"{name}.latents", {"z": z_of((3, 1, 2), 8)}, NAMES, meta)
    return home / "snapshot.latents"


def test_latents_are_drawn_as_the_seeds_that_they_are(tiny_run, invoke, home, latents):
    invoke("sample", tiny_run.path, "--latents", latents, "--out", "a.png").done()
    invoke("sample", tiny_run.path, "--seeds", "3,1,2", "--out", "b.png").done()
    assert pixels_of(home / "a.png") == pixels_of(home / "b.png")
    meta = read_png_meta(home / "a.png")
    assert meta["latents"] == read_header(latents).meta["sha256"]
    assert "seeds" not in meta
    invoke("sample", tiny_run.path, "--images", "--latents", latents, "--out", "faces").done()
    assert sorted(tree(home / "faces")) == [f"latent-{i:06d}.png" for i in range(3)]
    assert read_png_meta(home / "faces" / "latent-000001.png")["name"] == "b.png"


def test_a_walk_leads_through_them(tiny_run, invoke, home, latents):
    options = ("interpolate", tiny_run.path, "--frames", 4, "--out")
    invoke(*options, "a", "--latents", latents).done()
    invoke(*options, "b", "--seeds", "3,1,2").done()
    for name in tree(home / "a"):
        assert pixels_of(home / "a" / name) == pixels_of(home / "b" / name)
    assert "so give one" in invoke(*options, "c.png", "--latents", latents, "--dims", 0).refused()
    assert "--rows 2" in invoke(*options, "c.png", "--latents", latents, "--rows", 2).refused()


@pytest.mark.usefixtures("latents")
def test_they_are_judged_under_their_names(tiny_run, invoke):
    judged = [
        json.loads(*invoke("judge", tiny_run.path, *chosen, "--json").done())["images"]
        for chosen in (("--latents", "checkpoint.latents"), ("--seeds", "3,1,2"))
    ]
    logits = [[each["logit"] for each in images] for images in judged]
    assert logits[0] == logits[1]
    assert {each["name"] for each in judged[0]} == {f"latent of {name}" for name in NAMES}


def test_those_of_another_snapshot_are_refused(tiny_run, invoke, latents):
    for command in ("sample", "interpolate"):
        options = ("--latents", latents, "--step", 4)
        assert "latents of another snapshot" in invoke(command, tiny_run.path, *options).refused()
    refused = invoke("judge", tiny_run.path, "--latents", latents).refused()
    assert "latents of another snapshot" in refused
    both = invoke("judge", tiny_run.path, "--latents", latents, "--seeds", 1).refused()
    assert "in place of --seeds" in both


def test_info_says_what_they_are(invoke, latents):
    (line,) = invoke("info", latents, "--json").done()
    result = json.loads(line)
    assert (result["kind"], result["names"]) == ("latents", NAMES)
    data = bytearray(latents.read_bytes())
    data[-5] ^= 1
    latents.write_bytes(data)
    assert "damaged" in invoke("info", latents).refused()


def test_z_plus_is_drawn(tiny_run, invoke, home, latents):
    meta = {"snapshot": read_header(tiny_run.generator).meta["sha256"]}
    G, _ = load_generator(tiny_run.generator)
    z = z_of((3, 1, 2), 8)
    dice = torch.Generator().manual_seed(0)
    other = torch.randn(3, G.places, 8, generator=dice)
    for name, z_plus in (("same", z[:, None].repeat(1, G.places, 1)), ("other", other)):
        save_latents(home / name, {"z": z, "z_plus": z_plus}, NAMES, meta)
        invoke("sample", tiny_run.path, "--latents", name, "--out", f"{name}.png").done()
    invoke("sample", tiny_run.path, "--latents", latents, "--out", "z.png").done()
    assert pixels_of(home / "same.png") == pixels_of(home / "z.png")
    assert pixels_of(home / "other.png") != pixels_of(home / "z.png")
    walk = ("--latents", "other", "--frames", 4, "--out", "walk")
    invoke("interpolate", tiny_run.path, *walk).done()
    assert len(tree(home / "walk")) == 9
