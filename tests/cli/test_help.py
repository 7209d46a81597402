"""What the program says of itself, and how fast."""

import os
import subprocess
import sys

import pytest

from ganface import __version__
from ganface.cli.main import COMMANDS, load_command


def test_version_is_one_line_on_stdout(invoke):
    assert invoke("--version").done() == [f"ganface {__version__}"]


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("dataset build", "--size --crop --background --dedupe --max-bad --workers --dry-run"),
        ("dataset demo", "--count --size --seed"),
        (
            "train",
            "--size --out --resume --steps --batch-size --width --z-dim --lr --seed --seeds "
            "--init-from --of --milestones --checkpoint-every --keep --precision --device --cache "
            "--dry-run --json",
        ),
        (
            "sample",
            "--seeds --latents --label --directions --move --grid --images --titles --scale --step "
            "--best --out --device --json",
        ),
        ("directions", "--by --count --faces --labels --step --best --out --device --json"),
        ("project", "--steps --scale --step --best --out --device --json"),
        (
            "interpolate",
            "--seeds --latents --between --mode --frames --fps --loop --rows --dims --directions "
            "--pick --range --label --scale --step "
            "--best --out --json",
        ),
        (
            "compare",
            "--seeds --count --scale --search --budget --jobs --seed --resume --out --json",
        ),
        ("info", "--json"),
    ],
)
def test_help_names_every_flag(invoke, command, flags):
    text = " ".join(invoke(*command.split(), "--help").done())
    assert [flag for flag in flags.split() if flag not in text] == []


@pytest.mark.parametrize("group", [[], ["dataset"]])
def test_help_says_all_of_what_each_command_does(invoke, monkeypatch, group):
    monkeypatch.setenv("COLUMNS", "80")
    commands = invoke(*group, "--help").out.partition("Commands:")[2].strip().splitlines()
    assert len(commands) >= 2
    assert all(line.endswith(".") and not line.endswith("...") for line in commands)


def test_help_loads_only_what_it_needs():
    code = (
        "import sys\n"
        "from ganface.cli.main import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    slow = {'torch', 'PIL', 'numpy', 'pydantic', 'rich.table'}\n"
        "    sys.exit(str(slow & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True)
    assert "Usage:" in result.stdout
    assert result.stderr.strip() == "set()"


@pytest.mark.parametrize("group", [[], ["dataset"]])
def test_without_a_command_the_help_is_shown(invoke, group):
    assert invoke(*group).done() == invoke(*group, "--help").done()


@pytest.mark.parametrize("command", ["", "dataset", "dataset build", *COMMANDS])
def test_h_is_help(invoke, command):
    assert invoke(*command.split(), "-h").done() == invoke(*command.split(), "--help").done()


def test_help_of_train_begins_with_examples_and_the_options_that_people_need_first(invoke):
    lines = invoke("train", "--help").done()
    assert any(line.startswith("  ganface train my-faces ") for line in lines)
    start = lines.index("Options:")
    first = "--size --width --method --steps --minutes --batch-size --labels"
    first += " --out --resume --dry-run"
    flags = [line.split()[0] for line in lines[start:] if line.startswith("  --")]
    assert flags[:10] == first.split()
    assert len(flags) == len({*flags})


def test_the_list_of_commands_says_what_each_says_of_itself():
    for name, text in COMMANDS.items():
        command = load_command(name)
        assert command.name == name
        assert command.help.splitlines()[0] == text


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
def test_the_shell_completes_commands_and_options():
    def complete(words):
        env = {**os.environ, "_GANFACE_COMPLETE": "complete_bash", "COMP_WORDS": words}
        env["COMP_CWORD"] = str(words.count(" "))
        code = "import sys; sys.argv = ['ganface']; from ganface.cli.main import main; main()"
        result = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True
        )
        return result.stdout.split()

    assert complete("ganface sa") == ["sample"]
    assert "--milestones" in complete("ganface train --mi")
