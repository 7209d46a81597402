import threading

import pytest
import torch
from conftest import changed, train_config

from ganface.config.dataset import BuildConfig
from ganface.dataset.build import build_pack
from ganface.dataset.normalise import normalise
from ganface.dataset.order import DataOrder
from ganface.dataset.pack import HEADER_BYTES, Pack
from ganface.errors import WorkError
from ganface.latents import rng
from ganface.losses.augment import CHANGES
from ganface.system.device import Compute
from ganface.training import batches as feed_module
from ganface.training.batches import Batches, fits
from ganface.training.config import TrainConfig
from ganface.training.start import create

CPU = Compute(torch.device("cpu"), "fp32")
CONFIG = TrainConfig.of({"preset": "dcgan", "batch_size": 8, "z_dim": 5, "ema_decay": 0.5})
WAYS = [(False, False), (True, False), (False, True)]  # resident, ahead


def batches(pack, config, *options, **more):
    return Batches(pack, config, create(config, 32, CPU)[0], *options, **more)


@pytest.fixture
def pack(pack_file):
    return Pack(pack_file)


@pytest.mark.parametrize("flip", [True, False])
def test_a_batch_is_the_images_of_its_step_mirrored_as_its_flips_say(pack, flip):
    config = train_config(batch_size=8, flip=flip)
    inputs = batches(pack, config, False, False).at(3)
    reals = normalise(inputs.images, inputs["flips"])
    assert reals.dtype == torch.float32
    assert reals.is_contiguous(memory_format=torch.channels_last)
    assert reals.min() >= -1
    assert reals.max() <= 1
    flips = rng.uniform(0, "flips", 3, 8) < 0.5 if flip else torch.zeros(8, dtype=torch.bool)
    indices = DataOrder(0, len(pack), 8).indices_at(3)
    for real, index, mirrored in zip(reals, indices, flips, strict=True):
        image = pack.images[index].float() / 127.5 - 1
        torch.testing.assert_close(real, image.flip(2) if mirrored else image)


def test_z_and_the_weight_in_the_average_are_those_of_the_step(pack):
    feed = batches(pack, CONFIG, False, False)
    assert torch.equal(feed.at(7).noise["z"], rng.normal(0, "z", 7, 8, 5))
    assert not torch.equal(feed.at(7).noise["z"], feed.at(8).noise["z"])
    assert feed.at(1)["ema_weight"].item() == pytest.approx(1 - 2 / 6)
    assert feed.at(1000)["ema_weight"].item() == 0.5


def test_each_image_comes_with_its_labels_and_each_process_has_its_part(faces, tmp_path):
    labels = "".join(f"{i:03d}.png,{i % 4}\n" for i in range(100))
    (tmp_path / "labels.csv").write_text("file,quarter\n" + labels)
    build = BuildConfig(size=32, labels=str(tmp_path / "labels.csv"))
    build_pack(faces, tmp_path / "p.safetensors", build, workers=1)
    pack, config = Pack(tmp_path / "p.safetensors"), train_config(batch_size=12, z_dim=5)
    method, _ = create(config, 32, CPU, pack.attributes)
    whole = Batches(pack, config, method, False, True).at(9)
    told = whole.noise["labels"]
    known = told.sum(1) == 1
    assert torch.equal(told[known].argmax(1), whole["indices"][known] % 4)
    assert 6 <= known.sum() < 12
    parts = [Batches(pack, config, method, False, False, part) for part in (slice(6), slice(6, 12))]
    for name in ("labels", "wrong_labels"):
        assert torch.equal(torch.cat([p.at(9).noise[name] for p in parts]), whole.noise[name])


@pytest.mark.parametrize(("resident", "ahead"), WAYS)
def test_wherever_the_images_lie_the_inputs_are_the_same(pack, monkeypatch, resident, ahead):
    monkeypatch.setattr(feed_module, "UPLOAD", 33)  # 100 images do not divide into it
    plain = batches(pack, CONFIG, False, False)
    other = batches(pack, CONFIG, resident, ahead)
    for step in (1, 2, 3, 14, 15, 9, 9):  # in and out of order, over the end of an epoch
        one, two = plain.at(step), other.at(step)
        assert torch.equal(one.images, two.images)
        assert one.places.keys() - {"images"} == two.places.keys() - {"images"}
        assert all(torch.equal(one[name], two[name]) for name in two.places)


def test_several_updates_of_D_get_batches_of_their_own(pack):
    config = changed(CONFIG, d_steps=3, augment="on")
    inputs = batches(pack, config, False, False).at(2)
    whole = normalise(inputs.images, inputs["flips"])
    z = inputs.noise["z"]
    assert torch.equal(z, rng.normal(0, "z", 2, 24, 5))
    parts = inputs.batches(3)
    assert [part.noise["augment"].shape for part in parts] == [(8, 2, 2, CHANGES)] * 3
    assert torch.equal(torch.cat([part.reals for part in parts]), whole)
    assert torch.equal(torch.cat([part.noise["z"] for part in parts]), z)
    indices = torch.cat([part.indices for part in parts])
    torch.testing.assert_close(pack.batch(indices.tolist()), inputs.images)


def test_processes_share_each_batch(pack):
    config = changed(CONFIG, d_steps=2, augment="on")
    whole = batches(pack, config, False, False).at(5).batches(2)
    halves = [
        batches(pack, config, False, False, share).at(5).batches(2)
        for share in (slice(0, 4), slice(4, 8))
    ]
    for number, batch in enumerate(whole):
        one, other = halves[0][number], halves[1][number]
        assert torch.equal(torch.cat([one.reals, other.reals]), batch.reals)
        assert torch.equal(torch.cat([one.indices, other.indices]), batch.indices)
        for name, both in batch.noise.items():
            assert torch.equal(torch.cat([one.noise[name], other.noise[name]]), both)


def test_what_a_method_does_not_need_is_not_drawn(pack):
    assert [*batches(pack, CONFIG, False, False).at(1).noise] == ["z"]


def test_the_next_updates_are_prepared_meanwhile(pack, monkeypatch):
    monkeypatch.setattr(feed_module, "ROWS", 3)
    feed = batches(pack, CONFIG, False, ahead=True)
    read, original = threading.Event(), Pack.batch

    def batch(self, indices):
        if indices == DataOrder(0, 100, 8).indices_at(6).tolist():
            read.set()
        return original(self, indices)

    monkeypatch.setattr(Pack, "batch", batch)
    feed.at(1)
    assert read.wait(600)


def test_what_is_prepared_at_once_is_bounded(pack, monkeypatch):
    monkeypatch.setattr(feed_module, "ROWS_BYTES", 10)
    feed = batches(pack, CONFIG, False, ahead=True)
    for step in (1, 2, 5):
        assert torch.equal(feed.at(step).noise["z"], rng.normal(0, "z", step, 8, 5))
        assert len(feed._rows) == 1


def test_a_graph_s_own_inputs_become_those_of_any_update(pack):
    feed = batches(pack, CONFIG, True, ahead=True)
    own = feed.at(1).clone()
    address = own["indices"].data_ptr()
    own.copy_(feed.at(2))
    assert own["indices"].data_ptr() == address
    assert torch.equal(own.images, feed.at(2).images)
    assert torch.equal(own.rate("G"), feed.at(2).rate("G"))
    assert torch.equal(own.first(3).noise["z"], feed.at(2).noise["z"][:3])


@pytest.mark.parametrize(("resident", "ahead"), WAYS)
def test_a_damaged_image_is_found(tmp_path, pack_file, resident, ahead):
    data = bytearray(pack_file.read_bytes())
    data[HEADER_BYTES + 7 * 3 * 32 * 32 + 5] ^= 1
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(data)
    with pytest.raises(WorkError, match="image 7 is damaged"):  # noqa: PT012
        feed = batches(Pack(damaged), CONFIG, resident, ahead)
        for step in range(1, 14):
            feed.at(step)


def test_images_are_held_on_a_gpu_alone_and_if_half_of_it_is_enough(pack, monkeypatch):
    gpu, needed = torch.device("cuda"), 100 * 3 * 32 * 32
    assert not fits(pack, CPU.device)
    for free, expected in ((2 * needed, True), (2 * needed - 2, False)):
        monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free: (free, 10**12))
        assert fits(pack, gpu) == expected
