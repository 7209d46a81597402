"""What most tests share: a folder of small images, one tiny run, and a way to call the commands.

With --all, tests marked `long` run as well, and those that try something at random try more often.
"""

import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The tests compare bits, so all compute on the same device
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("OMP_NUM_THREADS", "1")  # for tensors this small, threads only cost time

import pytest
from PIL import Image, ImageDraw

from ganface.cli.main import main
from ganface.config.architecture import DcganConfig
from ganface.io.run import Run
from ganface.system.signals import NAMES, heard
from ganface.training.config import TrainConfig


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="long tests too, and more random tries")


def pytest_configure():
    # A shell, or nohup, may have started us with signals ignored, which children inherit
    for name in NAMES:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--all"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_terminal_summary(terminalreporter):
    lines = [
        text
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, text in report.user_properties
        if name == "figure"
    ]
    if lines:
        terminalreporter.section("figures")
        for line in sorted(lines):
            terminalreporter.line(line)


@pytest.fixture
def tries(request) -> Callable[[int, int], range]:
    """tries(few, many): the numbers of the tries; many with --all."""
    return lambda few, many: range(many if request.config.getoption("--all") else few)


@pytest.fixture
def figure(request) -> Callable[[str], None]:
    """figure(text): print it below the results, for docs/reliability.md."""
    properties = (
        request.node.user_properties
    )  # which a worker of pytest-xdist sends with the result
    return lambda text: properties.append(("figure", f"{request.node.name}: {text}"))


def rarely(*values: object) -> list:
    """Parameters of a test that are tried only with --all."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


def dcgan(
    size: int = 32,
    z_dim: int = 8,
    width: int = 4,
    upsample: str = "transposed",
    modulate: bool = False,
    norm: str = "batch",
    **others: Any,
) -> DcganConfig:
    """The paper's networks, and tiny."""
    shape = {"size": size, "z_dim": z_dim, "width": width}
    return DcganConfig(**shape, upsample=upsample, modulate=modulate, norm=norm, **others)


def train_config(**given: Any) -> TrainConfig:
    return TrainConfig.of(given)


def changed(config: TrainConfig, **changes: Any) -> TrainConfig:
    return TrainConfig.of({**config.flat(), **changes})


PATIENCE = 600  # seconds for what takes a few, on a machine however busy
SIDE = 40
TINY = ("--size", "32", "--width", "4", "--z-dim", "8", "--batch-size", "8", "--precision", "fp32")
TINY += ("--device", "cpu")
TINY_STEPS = 12


def draw_image(seed: int, size: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    """Some discs on a plain ground: unlike each other, and unlike noise."""
    dice = random.Random(seed)

    def colour() -> tuple[int, ...]:
        return tuple(dice.randrange(256) for _ in range(3))

    image = Image.new("RGB", size, colour())
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y, r = dice.randrange(size[0]), dice.randrange(size[1]), dice.randrange(4, 16)
        draw.ellipse((x - r, y - r, x + r, y + r), colour())
    return image


def draw_folder(folder: Path, seeds: range) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        draw_image(seed).save(folder / f"{seed:03d}.png", compress_level=1)
    return folder


def call(*arguments: object) -> int:
    """Run a command in this process and return its exit code."""
    handlers = {number: signal.getsignal(number) for number in heard()}
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["ganface", *map(str, arguments)])
            for name in ("stdout", "stderr"):  # which the command wraps
                patch.setattr(sys, name, getattr(sys, name))
            main()
    except SystemExit as end:
        return end.code
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@dataclass
class Result:
    code: int
    out: str
    err: str

    def refused(self, code: int = 2) -> str:
        """The one line of an error, of which there must be nothing else."""
        assert self.code == code, self.err
        assert self.out == ""
        lines = self.err.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("ganface: ")
        return lines[0]

    def failed(self) -> str:
        """The line of an error that came once the work had begun."""
        assert self.code == 1
        assert self.out == ""
        assert "Traceback" not in self.err
        assert self.err.splitlines()[-1].startswith("ganface: ")
        return self.err.splitlines()[-1]

    def done(self) -> list[str]:
        assert self.code == 0, self.err
        return self.out.splitlines()


@pytest.fixture(scope="session", autouse=True)
def _few_faces():
    """What is drawn beside pictures is less here, and smaller: most of the time would go there."""
    from ganface.evaluation import named_directions, score
    from ganface.methods import probe
    from ganface.pictures import face_size
    from ganface.training import snapshots

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe, "CALIBRATION", (2, 16))
        patch.setattr(face_size, "FACE", 64)  # so faces of 32 pixels are drawn at twice their size
        for module in (snapshots, score):
            patch.setattr(module, "FACES", 64)
        for name, number in {"SEEDS": 120, "POINTS": 1, "MOVED": 5}.items():
            patch.setattr(named_directions, name, number)
        yield


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Each test works in a folder of its own, in which the default paths end up as well."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return work


@pytest.fixture
def invoke(capfd):
    """Run a command as a user would: invoke("sample", path, "--grid")."""

    def run(*arguments: object) -> Result:
        capfd.readouterr()
        code = call(*arguments)
        return Result(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def faces(tmp_path_factory) -> Path:
    """A folder of 100 images, none like another. Not to be written to."""
    return draw_folder(tmp_path_factory.mktemp("images") / "faces", range(100))


@pytest.fixture(scope="session")
def pack_file(faces, tmp_path_factory) -> Path:
    """The pack of `faces` at size 32. Not to be written to."""
    path = tmp_path_factory.mktemp("pack") / "faces.safetensors"
    assert call("dataset", "build", faces, path, "--size", 32, "--workers", 1) == 0
    return path


@pytest.fixture(scope="session")
def tiny_run(pack_file, tmp_path_factory) -> Run:
    """A finished run of 12 steps, with milestones 4, 8 and 12. Not to be written to."""
    run = Run(tmp_path_factory.mktemp("runs") / "tiny")
    options = ("--steps", TINY_STEPS, "--milestones", "4,8", "--checkpoint-every", 5)
    assert call("train", pack_file, "--out", run.path, *TINY, *options, "--seeds", "0-8") == 0
    return run


@pytest.fixture
def run_copy(tiny_run, tmp_path) -> Run:
    """The finished run once more, to be written to."""
    return Run(shutil.copytree(tiny_run.path, tmp_path / "tiny"))


@pytest.fixture
def made(tiny_run, pack_file):
    """One file of each kind, and a run."""
    return {
        "pack": pack_file,
        "checkpoint": tiny_run.checkpoint(TINY_STEPS),
        "snapshot": tiny_run.snapshot(4),
        "grid": tiny_run.grid(4),
        "run": tiny_run.path,
    }


@pytest.fixture(scope="session")
def undisturbed(pack_file, tmp_path_factory):
    """A run that nothing happened to. Not to be written to."""
    from runs import train

    run = Run(tmp_path_factory.mktemp("undisturbed") / "run")
    assert train(pack_file, run) == 0
    return run


@pytest.fixture(scope="session")
def browser():
    """Chromium, without a window. Tests that take it are skipped where there is none."""
    api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no Chromium")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
