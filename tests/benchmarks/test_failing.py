import json
import subprocess
import sys

import failing
from conftest import TINY


def test_the_driver_makes_a_number_that_is_none(pack_file, tmp_path):
    run = tmp_path / "run"
    command = ["-c", failing.DRIVER, 5, "train", pack_file, "--out", run, *TINY, "--steps", 20]
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = (run / "stats.jsonl").read_text(encoding="utf-8").splitlines()
    verdicts = [json.loads(line)["verdict"] for line in lines]
    assert any(verdict.startswith("not a number") for verdict in verdicts)


def test_copies_of_a_face_differ_by_noise(faces, tmp_path):
    failing.draw_copies(faces / "000.png", tmp_path / "copies")
    assert len({path.read_bytes() for path in (tmp_path / "copies").iterdir()}) == 1000
