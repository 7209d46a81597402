"""`ganface info`, as a user runs it."""

import json

import pytest


@pytest.mark.parametrize(
    ("name", "kind", "facts"),
    [
        ("pack", "pack", {"images": 100, "size": 32, "crop": "center"}),
        ("checkpoint", "checkpoint", {"step": 12, "precision": "fp32"}),
        ("snapshot", "snapshot", {"step": 4, "images_seen": 32}),
        ("grid", "grid", {"step": 4, "seeds": "0-8"}),
        ("run", "snapshot", {"step": 12}),
    ],
)
def test_info_says_what_a_file_holds(made, invoke, name, kind, facts):
    (line,) = invoke("info", made[name], "--json").done()
    result = json.loads(line)
    assert result["kind"] == kind
    assert facts.items() <= result.items()
    assert f"kind: {kind}" in invoke("info", made[name]).done()


@pytest.mark.parametrize("name", ["pack", "checkpoint", "snapshot", "grid"])
def test_info_finds_a_flipped_bit_in_the_middle_of_a_file(made, tmp_path, invoke, name):
    path = tmp_path / made[name].name
    data = bytearray(made[name].read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert str(path) in invoke("info", path).refused()
