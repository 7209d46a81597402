"""The whole of scripts/gpu_check on a CPU, small; what it does about failures and lack of time."""

import json
import subprocess
import sys
from pathlib import Path

import gpu_check
import pytest
from conftest import PATIENCE
from gpu_steps import STEPS, Step

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "gpu_check"


# Those that start whole commands take over a minute
STARTING_COMMANDS = ("plain", "resume", "use", "latents", "course")


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([*STEPS], id="all", marks=pytest.mark.long),
        pytest.param([n for n in STEPS if n not in STARTING_COMMANDS], id="most"),
    ],
)
def test_steps_pass_on_a_cpu_and_the_report_shows_it(tmp_path, steps):
    command = [sys.executable, SCRIPT, *steps, "--cpu", "--limit", PATIENCE, "--out", tmp_path]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads((tmp_path / "gpu_check.json").read_text())
    assert {each["name"]: each["status"] for each in outcomes} == dict.fromkeys(steps, "ok")
    report = (tmp_path / "gpu_check.md").read_text(encoding="utf-8")
    assert all(f"| {name} | {STEPS[name].title} | ok |" in report for name in steps)
    assert "| best | fp32 | 158 of 158 | 0.0e+00 | yes | yes |" in report


def check(monkeypatch, tmp_path, limit=PATIENCE, **steps):
    """Run these steps in place of the real ones; the outcomes by name."""
    monkeypatch.setattr(gpu_check, "STEPS", steps)
    code = 0
    try:
        gpu_check.main(["--cpu", "--limit", str(limit), "--out", str(tmp_path)])
    except SystemExit as end:
        code = end.code
    found = json.loads((tmp_path / "gpu_check.json").read_text())
    return code, {each["name"]: each for each in found}


def test_without_time_left_no_step_is_begun_and_that_is_no_success(monkeypatch, tmp_path):
    code, found = check(monkeypatch, tmp_path, limit=0, start=STEPS["start"], fp16=STEPS["fp16"])
    assert code == 1
    assert [each["status"] for each in found.values()] == ["no time left"] * 2


def test_a_step_that_takes_too_long_is_cut_off(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu_check, "LEAST", 0)
    step = Step(STEPS["start"].work, 0.3)
    code, found = check(monkeypatch, tmp_path, start=step)
    assert code == 1
    assert found["start"]["status"] == "cut off"
    assert "cut off after 0 s" in (tmp_path / "gpu_check.md").read_text(encoding="utf-8")


def test_a_failure_is_shown_with_its_traceback(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu_check, "HERE", tmp_path)
    (tmp_path / "gpu_steps.py").write_text('raise RuntimeError("no kernel image")')
    code, found = check(monkeypatch, tmp_path, start=STEPS["start"])
    assert code == 1
    assert found["start"]["status"] == "failed"
    report = (tmp_path / "gpu_check.md").read_text(encoding="utf-8")
    assert "RuntimeError: no kernel image" in report
    assert "Traceback" in report


def test_without_packages_it_says_what_is_missing(tmp_path):
    arguments = ["start", "--work", str(tmp_path), "--limit", "9", "--cpu", "--json", "x"]
    code = (
        "import sys; sys.modules['safetensors'] = None; import gpu_steps; "
        f"sys.argv[1:] = {arguments}; gpu_steps.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(gpu_check.__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "missing: safetensors" in done.stderr


def test_a_step_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        gpu_check.main(["nonsense"])
    assert end.value.code == 2
    assert "no step nonsense" in capsys.readouterr().err
