import json
import os
import pickle
import random
import struct

import pytest
import torch
from conftest import dcgan

from ganface import __version__
from ganface.errors import UserError
from ganface.io.tensors import (
    VERSIONS,
    check_tensors,
    metadata_of,
    read_header,
    read_tensors,
    write_tensors,
)
from ganface.models.dcgan import Generator
from ganface.models.snapshot import save_snapshot


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    """A small whole file. Not to be written to."""
    path = tmp_path_factory.mktemp("files") / "snapshot.safetensors"
    G = Generator(dcgan(32, 2, 1))
    G.initialise(torch.Generator().manual_seed(0))
    save_snapshot(path, G.state_dict(), G.config, 5, 40)
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "file.safetensors"


def test_tensors_and_metadata_come_back_as_they_went_in(file):
    tensors = {
        "a": torch.arange(6.0).reshape(2, 3).t(),
        "b": torch.tensor(7),
        "c": torch.randn(3).to(torch.bfloat16),
        "d": torch.empty(0, 4),
    }
    meta = {"step": 3, "nested": {"ü": [1, 2.5, None]}}
    digest = write_tensors(file, "snapshot", tensors, meta)
    got, loaded = read_tensors(file, "checkpoint", "snapshot")
    ours = {"version": VERSIONS["snapshot"], "sha256": digest, "ganface": __version__}
    assert got == {**meta, "kind": "snapshot", **ours}
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)
    assert check_tensors(file) == got


def test_equal_content_makes_equal_files(tmp_path):
    tensors = {name: torch.full((3,), i) for i, name in enumerate("abc")}
    backwards = dict(reversed(tensors.items()))
    digests = [
        write_tensors(tmp_path / "1", "snapshot", tensors, {"x": 1, "y": 2}),
        write_tensors(tmp_path / "2", "snapshot", backwards, {"y": 2, "x": 1}),
    ]
    assert digests[0] == digests[1]
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_other_readers_of_safetensors_read_it(snapshot):
    from safetensors import safe_open

    with safe_open(snapshot, "pt") as file:
        assert json.loads(file.metadata()["ganface"])["kind"] == "snapshot"
        assert torch.equal(
            file.get_tensor("layers.0.weight"),
            read_tensors(snapshot, "snapshot")[1]["layers.0.weight"],
        )


def is_refused(path, read=check_tensors):
    try:
        read(path)
    except UserError as error:
        return str(path) in str(error)
    return False


def test_any_flipped_bit_of_the_header_is_found(snapshot, file):
    data = snapshot.read_bytes()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    file.write_bytes(data)
    passed = []
    with open(file, "r+b", buffering=0) as view:
        for bit in range(8 * end):
            byte = data[bit // 8]
            view.seek(bit // 8)
            view.write(bytes([byte ^ 1 << bit % 8]))
            if not is_refused(file):
                passed.append(bit)
            view.seek(bit // 8)
            view.write(bytes([byte]))
    assert passed == []
    assert not is_refused(file)


def test_flipped_bits_all_over_the_file_are_found_by_every_reader(snapshot, file):
    data = snapshot.read_bytes()
    dice = random.Random(0)
    for bit in [dice.randrange(8 * len(data)) for _ in range(200)] + [8 * len(data) - 1]:
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        assert is_refused(file), bit
        assert is_refused(file, lambda path: read_tensors(path, "snapshot")), bit


def test_truncation_and_what_is_appended_are_found(snapshot, file):
    data = snapshot.read_bytes()
    for part in (data[:-1], data[: len(data) // 2], data[:100], data[:8], data[:7], data + b"\0"):
        file.write_bytes(part)
        assert is_refused(file), len(part)
        assert is_refused(file, lambda path: read_tensors(path, "snapshot")), len(part)


def foreign_safetensors(metadata):
    from safetensors.torch import save

    return save({"a": torch.zeros(2)}, metadata)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        b"x",
        b"just some text, longer than eight bytes\n" * 3,
        pickle.dumps({"G": [1, 2, 3]}),
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 10) + b"[" * 10,
        struct.pack("<Q", 100_000) + b"[" * 100_000,
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        foreign_safetensors({}),
        foreign_safetensors({"ganface": "{}"}),
        foreign_safetensors({"ganface": "[]"}),
        foreign_safetensors({"ganface": '{"kind": 1, "version": 1, "sha256": "00"}'}),
    ],
)
def test_files_of_others_are_refused(file, data):
    file.write_bytes(data)
    with pytest.raises(UserError, match="not a file of ganface"):
        check_tensors(file)


def test_a_pickle_is_never_loaded(file, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"G": Trap()}, file)
    for read in (check_tensors, lambda path: read_tensors(path, "snapshot")):
        assert is_refused(file, read)
    assert not (tmp_path / "sprung").exists()


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert is_refused(tmp_path / "nothing")
    assert is_refused(tmp_path)


def test_a_file_of_another_kind_is_refused_by_both_names(snapshot):
    with pytest.raises(UserError, match="a snapshot, where a checkpoint is needed"):
        read_tensors(snapshot, "checkpoint")


def test_a_newer_format_is_refused_with_the_version_that_is_needed(file, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("ganface.io.tensors.VERSIONS", {"snapshot": 7})
        patch.setattr("ganface.io.tensors.__version__", "3.2.1")
        write_tensors(file, "snapshot", {"a": torch.zeros(1)}, {})
    message = f"of format 7; this is ganface {__version__}, .* it takes a newer one, 3.2.1"
    for read in (check_tensors, lambda path: read_tensors(path, "snapshot")):
        with pytest.raises(UserError, match=message):
            read(file)


HOSTILE = [
    {"shape": [2], "dtype": "F32", "data_offsets": [0, 4]},
    {"shape": [1], "dtype": "F32", "data_offsets": [4, 8]},
    {"shape": [-1, -1], "dtype": "F32", "data_offsets": [0, 4]},
    {"shape": [1.0], "dtype": "F32", "data_offsets": [0, 4]},
    {"shape": [True], "dtype": "F32", "data_offsets": [0, 4]},
    {"shape": "1", "dtype": "F32", "data_offsets": [0, 4]},
    {"shape": [2**62, 4], "dtype": "F32", "data_offsets": [0, 2**66]},
    {"shape": [1] * 100_000, "dtype": "F32", "data_offsets": [0, 4]},
    {"shape": [1], "dtype": "OBJECT", "data_offsets": [0, 4]},
    {"shape": [1], "dtype": ["F32"], "data_offsets": [0, 4]},
    {"shape": [1], "dtype": "F32", "data_offsets": [0, 4, 8]},
    {"shape": [1], "dtype": "F32", "data_offsets": {"0": 4}},
    {"shape": [1], "dtype": "F32"},
    "a tensor",
]


@pytest.mark.parametrize("tensor", HOSTILE, ids=range(len(HOSTILE)))
def test_tensors_that_cannot_be_are_refused(file, tensor):
    header = json.dumps({"a": tensor, "__metadata__": metadata_of("snapshot", {})}).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(UserError, match="not a file of ganface"):
        read_header(file)
