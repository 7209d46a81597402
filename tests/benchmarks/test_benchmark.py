import json
import sys
from dataclasses import replace

import anonymous_memory
import benchmark
import pytest
from paired import figure


def test_a_row_is_measured_printed_and_stored(monkeypatch, capsys, home):
    monkeypatch.setattr(benchmark, "QUICK", replace(benchmark.QUICK, help_pairs=2))
    benchmark.main(["help", "course", "--quick", "--device", "cpu", "--json", "figures.json"])
    result = json.loads((home / "figures.json").read_text())
    measured, skipped = result["rows"]
    assert measured["pairs"] == len(measured["ratio"]["all"]) == 2
    assert measured["ganface"]["min"] > 10  # ms: a process was started
    assert (skipped["ganface"], skipped["note"]) == (None, "no GPU in use")
    assert {"cpu", "cores", "torch", "python", "ganface", "command"} <= set(result["machine"])
    out = capsys.readouterr().out
    assert "--help, ms" in out
    assert figure(measured["ratio"]["median"]) in out


@pytest.mark.parametrize("arguments", [["nonsense"], ["help", "--data", "nowhere"]])
def test_what_is_not_there_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        benchmark.main(arguments)
    assert end.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone tells")
def test_anonymous_memory_leaves_the_pages_of_the_pack_out(tmp_path):
    pack = tmp_path / "pack.safetensors"
    anonymous_memory.write(pack, 100)
    before = anonymous_memory.anonymous()
    ballast = bytearray(b"x") * 10**8
    assert anonymous_memory.draw(pack, 3) - before > 90_000
    del ballast
