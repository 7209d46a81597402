import dataclasses
import threading

import pytest
import torch

from ganface.config.settings import TrainConfig
from ganface.dataset.order import DataOrder
from ganface.dataset.pack import HEADER_BYTES, Pack
from ganface.errors import WorkError
from ganface.latents.rng import flips_at, z_at
from ganface.losses.augment import AUGMENT_NOISE
from ganface.training import batches as feed_module
from ganface.training.batches import Batches, fits, normalise

CPU = torch.device("cpu")
CONFIG = TrainConfig.of({"preset": "dcgan", "batch_size": 8, "z_dim": 5, "ema_decay": 0.5})
WAYS = [(False, False), (True, False), (False, True)]  # resident, ahead


@pytest.fixture
def pack(pack_file):
    return Pack(pack_file)


@pytest.mark.parametrize("flip", [True, False])
def test_a_batch_is_the_images_of_its_step_mirrored_as_its_flips_say(pack, flip):
    config = TrainConfig(batch_size=8, flip=flip)
    inputs = Batches(pack, config, CPU, False, False).at(3)
    reals = normalise(inputs.images, inputs.flips)
    assert reals.dtype == torch.float32
    assert reals.is_contiguous(memory_format=torch.channels_last)
    assert reals.min() >= -1
    assert reals.max() <= 1
    flips = flips_at(config.seed, 3, 8) if flip else torch.zeros(8, dtype=torch.bool)
    indices = DataOrder(config.seed, len(pack), 8).indices_at(3)
    for real, index, mirrored in zip(reals, indices, flips, strict=True):
        image = pack.images[index].float() / 127.5 - 1
        torch.testing.assert_close(real, image.flip(2) if mirrored else image)


def test_z_and_the_weight_in_the_average_are_those_of_the_step(pack):
    feed = Batches(pack, CONFIG, CPU, False, False)
    assert torch.equal(feed.at(7).z, z_at(CONFIG.seed, 7, 8, 5))
    assert not torch.equal(feed.at(7).z, feed.at(8).z)
    assert feed.at(1).ema_weight.item() == pytest.approx(1 - 2 / 6)
    assert feed.at(1000).ema_weight.item() == 0.5


@pytest.mark.parametrize(("resident", "ahead"), WAYS)
def test_wherever_the_images_lie_the_inputs_are_the_same(pack, monkeypatch, resident, ahead):
    monkeypatch.setattr(feed_module, "UPLOAD", 33)  # 100 images do not divide into it
    plain = Batches(pack, CONFIG, CPU, False, False)
    other = Batches(pack, CONFIG, CPU, resident, ahead)
    for step in (1, 2, 3, 14, 15, 9, 9):  # in and out of order, over the end of an epoch
        assert all(map(torch.equal, plain.at(step), other.at(step)))


def test_several_updates_of_D_get_batches_of_their_own(pack):
    config = dataclasses.replace(CONFIG, d_steps=3, augment="on")
    inputs = Batches(pack, config, CPU, False, False).at(2)
    whole = normalise(inputs.images, inputs.flips)
    assert torch.equal(inputs.z, z_at(config.seed, 2, 24, 5))
    batches = inputs.batches(3)
    assert [batch.dice.shape for batch in batches] == [(8, 2, AUGMENT_NOISE)] * 3
    for name, all_of_them in (("reals", whole), ("z", inputs.z), ("mix", inputs.mix)):
        assert torch.equal(torch.cat([getattr(batch, name) for batch in batches]), all_of_them)


def test_processes_share_each_batch(pack):
    config = dataclasses.replace(CONFIG, d_steps=2, augment="on")
    whole = Batches(pack, config, CPU, False, False).at(5).batches(2)
    halves = [
        Batches(pack, config, CPU, False, False, share).at(5).batches(2)
        for share in (slice(0, 4), slice(4, 8))
    ]
    for number, batch in enumerate(whole):
        for one, other, both in zip(halves[0][number], halves[1][number], batch, strict=True):
            assert torch.equal(torch.cat([one, other]), both)


def test_no_dice_are_thrown_where_no_image_is_augmented(pack):
    assert Batches(pack, CONFIG, CPU, False, False).at(1).dice.numel() == 0


def test_the_next_images_are_read_meanwhile(pack, monkeypatch):
    feed = Batches(pack, CONFIG, CPU, False, ahead=True)
    read, original = threading.Event(), Pack.batch

    def batch(self, indices):
        if indices == DataOrder(0, 100, 8).indices_at(2).tolist():
            read.set()
        return original(self, indices)

    monkeypatch.setattr(Pack, "batch", batch)
    feed.at(1)
    assert read.wait(60)


@pytest.mark.parametrize(("resident", "ahead"), WAYS)
def test_a_damaged_image_is_found(tmp_path, pack_file, resident, ahead):
    data = bytearray(pack_file.read_bytes())
    data[HEADER_BYTES + 7 * 3 * 32 * 32 + 5] ^= 1
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(data)
    with pytest.raises(WorkError, match="image 7 is damaged"):  # noqa: PT012
        feed = Batches(Pack(damaged), CONFIG, CPU, resident, ahead)
        for step in range(1, 14):
            feed.at(step)


def test_images_are_held_on_a_gpu_alone_and_if_half_of_it_is_enough(pack, monkeypatch):
    gpu, needed = torch.device("cuda"), 100 * 3 * 32 * 32
    assert not fits(pack, CPU)
    for free, expected in ((2 * needed, True), (2 * needed - 2, False)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free: (free, 10**12))
        assert fits(pack, gpu) == expected
