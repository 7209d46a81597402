import contextlib
import random

import pytest
import torch
from safetensors import safe_open

from ganface.config.dataset import BuildConfig
from ganface.dataset.pack import HEADER_BYTES, Pack, check_pack, write_pack
from ganface.errors import UserError, WorkError
from ganface.io.tensors import write_tensors

SIZE = 8
CONFIG = BuildConfig(size=SIZE, crop="none")
COUNT = 7
IMAGE_BYTES = 3 * SIZE**2


@pytest.fixture(scope="module")
def images():
    dice = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (COUNT, 3, SIZE, SIZE), generator=dice, dtype=torch.uint8)


def pack_of(path, images):
    with write_pack(path, CONFIG) as pack:
        for image in images:
            pack.add(image.numpy().tobytes())
    return path


@pytest.fixture
def path(tmp_path, images):
    return pack_of(tmp_path / "faces.safetensors", images)


def flip(path, position, bit=0):
    with open(path, "r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 1 << bit]))


def test_images_come_back_as_they_were_added(path, images):
    pack = Pack(path)
    assert len(pack) == COUNT
    assert pack.size == SIZE
    assert pack.settings == CONFIG
    assert torch.equal(pack.images, images)
    assert torch.equal(pack.batch([5, 0, 5]), images[[5, 0, 5]])


def test_a_batch_is_a_copy_that_may_be_changed(path, images):
    pack = Pack(path)
    before = path.read_bytes()
    pack.batch([1, 2]).zero_()
    assert torch.equal(pack.batch([1, 2]), images[[1, 2]])
    assert path.read_bytes() == before


def test_any_reader_of_safetensors_reads_a_pack(path, images):
    with safe_open(path, "pt") as file:
        assert set(file.keys()) == {"images", "checksums"}
        assert torch.equal(file.get_tensor("images"), images)
        assert file.get_tensor("checksums").shape == (COUNT,)


def test_equal_images_make_an_equal_fingerprint_and_others_another(tmp_path, images):
    one = Pack(pack_of(tmp_path / "one", images))
    two = Pack(pack_of(tmp_path / "two", images))
    backwards = Pack(pack_of(tmp_path / "three", images.flip(0)))
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != backwards.fingerprint
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_flipped_bit_of_any_image_is_found_when_that_image_is_read(path, images):
    dice = random.Random(0)
    for index in range(COUNT):
        position = HEADER_BYTES + index * IMAGE_BYTES + dice.randrange(IMAGE_BYTES)
        bit = dice.randrange(8)
        flip(path, position, bit)
        pack = Pack(path)
        others = [other for other in range(COUNT) if other != index]
        assert torch.equal(pack.batch(others), images[others])
        with pytest.raises(WorkError, match=f"image {index} is damaged"):
            pack.batch([*others, index])
        del pack
        flip(path, position, bit)


def test_a_check_reads_every_image(path):
    assert check_pack(path) == {**Pack(path).meta, "images": COUNT}
    flip(path, HEADER_BYTES + 4 * IMAGE_BYTES)
    with pytest.raises(UserError, match="image 4 is damaged"):
        check_pack(path)


def test_a_flipped_bit_of_the_header_or_the_checksums_is_found_at_opening(path):
    data = path.read_bytes()
    text_end = len(data[:HEADER_BYTES].rstrip(b" "))
    dice = random.Random(0)
    checksums = range(len(data) - 4 * COUNT, len(data))
    positions = [*range(text_end), text_end, HEADER_BYTES - 1, *checksums]
    passed = []
    for position in positions:
        bit = dice.randrange(8)
        flip(path, position, bit)
        with contextlib.suppress(UserError):
            Pack(path)
            passed.append((position, bit))
        flip(path, position, bit)
    assert passed == []


def test_a_pack_of_another_length_than_its_header_says_is_refused(path):
    data = path.read_bytes()
    for part in (data[:-1], data[:-IMAGE_BYTES], data[:HEADER_BYTES], data + b"\0" * IMAGE_BYTES):
        path.write_bytes(part)
        with pytest.raises(UserError, match="damaged"):
            Pack(path)
    path.write_bytes(data[: HEADER_BYTES - 1])
    with pytest.raises(UserError, match=r"not a pack|damaged"):
        Pack(path)


def test_a_pack_without_images_is_refused(tmp_path):
    with pytest.raises(UserError, match="damaged"):
        Pack(pack_of(tmp_path / "none", []))


def test_a_pack_whose_settings_are_unknown_is_refused(tmp_path):
    write_tensors(tmp_path / "pack", "pack", {"images": torch.zeros(1)}, {"size": "8"})
    with pytest.raises(UserError, match="no pack of this ganface"):
        Pack(tmp_path / "pack")


def test_a_snapshot_is_no_pack(tmp_path):
    write_tensors(tmp_path / "snapshot", "snapshot", {"a": torch.zeros(1)}, {})
    with pytest.raises(UserError, match="a snapshot, where a pack is needed"):
        Pack(tmp_path / "snapshot")


def test_a_failed_writer_leaves_nothing_behind(tmp_path, images):
    def fail(pack):
        pack.add(images[0].numpy().tobytes())
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"), write_pack(tmp_path / "p", CONFIG) as pack:
        fail(pack)
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == []
