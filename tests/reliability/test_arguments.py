"""Whatever is typed: a known exit code, one line if it is refused, and then nothing is written."""

import os
import shutil
from collections import Counter
from itertools import chain

import pytest
from conftest import call
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NUMBERS = ["0", "1", "2", "-1", "3.5", "nan", "inf", "-inf", "1e9", "99999999999999999999", "x", ""]
PATHS = ["faces", "pack", "run", "run/generator.safetensors", "run/latest.png", "run/stats.jsonl"]
PATHS += ["run/checkpoints", "empty", "text", "none", "", ".", "..", "/dev/null", "a\nb", "x" * 300]
PATHS += ["broken", "run/config.json", "脸", "-", "~"]
OUTS = ["new", "new.png", "new.gif", "new.webp", "a/b.png", "a/b/c", "text", "text/x.png", "empty"]
OUTS += [
    "run",
    "",
    ".",
    "x" * 300,
    "x" * 300 + ".png",
    "a\nb.png",
    "new.PNG",
    "run/x.png",
    "new.mp4",
]
SEEDS = ["0", "0-8", "3,1", "5-1", "-1", "x", "", "0-99999999", ",", "1-", "9" * 30, "0-3,0-3"]
STEPS = ["4", "12", "0", "-1", "x", "99999999999999999999"]
SHARED = {"--json": None, "--out": OUTS, "--device": ["cpu", "auto", "mps", "x"]}
CHOSEN = {"--best": None, "--step": STEPS}
MODELS = {**SHARED, **CHOSEN, "--seeds": SEEDS, "--latents": ["text", "pack", "run", "missing", ""]}
WALK = {
    "--mode": ["lerp", "x"],
    "--fps": NUMBERS,
    "--rows": ["1", "2", "0"],
    "--dims": ["0-3", "5", "99", "x"],
    "--directions": ["faces", "x"],
    "--pick": ["0", "x"],
    "--range": ["-2,2", "3,1", "nan,1", "x"],
    "--loop": None,
    "--scale": NUMBERS,
    "--between": ["faces/000.png,faces/001.png", "faces", "missing,text", "broken", ",", ""],
}
DRAWN = {"--images": None, "--grid": None, "--titles": None, "--scale": NUMBERS}
BUILD = {
    "--size": ["32", "8", "0", "5000", "x"],
    "--crop": ["center", "none", "x"],
    "--background": ["white", "#123", "rgb(1,2", "", "x"],
    "--dedupe": ["exact", "near", "off", "x"],
    "--max-bad": ["0", "100", "nan", "x"],
}
TRAIN = {
    **{f"--{name}": NUMBERS for name in ("r1", "r2", "beta1", "beta2", "ema-decay", "seed")},
    **{f"--{name}": ["1e-4", *NUMBERS] for name in ("lr", "lr-d", "lr-g")},
    **{f"--{name}": NUMBERS for name in ("evaluate-every", "checkpoint-every", "keep")},
    "--preset": ["best", "dcgan", "x"],
    "--method": ["gan", "codes", "autoencoder", "vae", "alphagan", "energy", "encoder", "x"],
    "--of": ["run", "text", "missing", ""],
    "--codes": ["random", "pca", "learned", "x"],
    "--lr-codes": ["1e-4", *NUMBERS],
    "--recon-weight": NUMBERS,
    "--beta": NUMBERS,
    "--ascent-steps": ["2", "0", "x"],
    "--step-size": NUMBERS,
    "--loss": ["ns", "saturating", "lsgan", "hinge", "wgan-gp", "rpgan", "x"],
    "--norm": ["batch", "none", "x"],
    "--augment": ["off", "on", "adaptive", "x"],
    "--upsample": ["transposed", "nearest", "x"],
    "--precision": ["fp32", "bf16", "fp16", "auto", "x"],
    "--init-from": ["run", "text", "missing", ""],
    "--milestones": SEEDS,
    "--seeds": SEEDS,
    "--out": ["new", "run", "text", "empty", "", "a/b", "x" * 300, "."],
    "--cache": ["cache", "text", "", "x" * 300],
    **dict.fromkeys(("--spectral-norm", "--modulate", "--no-modulate", "--no-flip")),
    **dict.fromkeys(("--deterministic", "--sync-batchnorm", "--dry-run", "--resume")),
    "--json": None,
}
SMALL = {  # always there, since their defaults are large
    "--steps": ["1", "2", "0", "x", "-5"],
    "--width": ["1", "4", "0", "2000", "x"],
    "--batch-size": ["8", "2", "1", "5000", "x"],
    "--z-dim": ["4", "1", "0", "x", "99999999"],
    "--d-steps": ["1", "2", "0", "x", "1000"],
    "--compile": ["off", "off", "x"],
    "--device": ["cpu", "cpu", "x"],
}


def typed(options):
    """Some of these options in any order, each with one of its values."""
    one = [
        st.just([flag]) if values is None else st.sampled_from(values).map(lambda v, f=flag: [f, v])
        for flag, values in options.items()
    ]
    return st.lists(st.one_of(one), max_size=4).map(lambda parts: list(chain.from_iterable(parts)))


def always(options):
    """All of these options; all but one in twelve with a value that will do."""
    parts = [
        st.integers(0, 11).map(lambda n, f=flag, v=values: [f, v[0] if n else v[-1]])
        for flag, values in options.items()
    ]
    return st.tuples(*parts).map(lambda parts: list(chain.from_iterable(parts)))


def command(words, paths, options, needed=None):
    """The words of a command, some paths (sometimes too many or too few), some options."""
    count = st.sampled_from([paths] * 8 + [0, 1, 2, 3])
    given_paths = count.flatmap(
        lambda n: st.lists(st.sampled_from(PATHS + ["run", "faces"] * 6), min_size=n, max_size=n)
    )
    return st.tuples(
        st.just([*words]), always(needed or {}), given_paths, typed({**options, "--help": None})
    ).map(lambda parts: list(chain.from_iterable(parts)))


ANYTHING = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
COMMANDS = st.one_of(
    command(["dataset", "build"], 2, {**BUILD, "--json": None, "--dry-run": None}),
    command(["dataset", "demo"], 1, {"--seed": NUMBERS, "--json": None}, {"--count": ["2", "0"]}),
    command(["train"], 1, {**BUILD, **TRAIN}, {**SMALL, "--size": ["32", "33"]}),
    command(["sample"], 1, {**MODELS, **DRAWN}, {"--seeds": ["0-3", "x"]}),
    command(["interpolate"], 1, {**MODELS, **WALK}, {"--frames": ["2", "0"]}),
    command(
        ["directions"],
        1,
        {**SHARED, "--step": STEPS, "--by": ["sefa", "x"], "--faces": PATHS, "--labels": PATHS},
        {"--count": ["2", "0"]},
    ),
    command(
        ["evaluate"],
        2,
        {**SHARED, "--step": STEPS, "--all-steps": None, "--weights": PATHS},
        {"--count": ["9", "0"]},
    ),
    command(["project"], 2, {**SHARED, **CHOSEN}, {"--steps": ["1", "0"]}),
    command(["plot"], 1, {"--out": OUTS, "--json": None}),
    command(["info"], 1, {"--json": None}),
    st.lists(ANYTHING, max_size=3),
    st.tuples(st.sampled_from(["train", "sample", "info"]), ANYTHING, ANYTHING).map(list),
)


@pytest.fixture
def place(home, faces, pack_file, tiny_run):
    """A folder with some of everything that a path may name."""
    work = home / "work"
    work.mkdir()
    (work / "faces").mkdir()
    for path in sorted(faces.iterdir())[:30]:
        shutil.copy(path, work / "faces")
    shutil.copy(pack_file, work / "pack")
    shutil.copytree(tiny_run.path, work / "run")
    (work / "empty").mkdir()
    (work / "text").write_text("no image, no model\n")
    (work / "broken").mkdir()
    for number in range(9):
        (work / "broken" / f"{number}.png").write_bytes(b"\x89PNG")
    return work


def listing(folder):
    return {
        (os.path.join(base, name), os.lstat(os.path.join(base, name)).st_mtime_ns)
        for base, folders, names in os.walk(folder)
        for name in [*folders, *names]
    }


def test_any_arguments_end_in_a_known_way(place, monkeypatch, capfd, tries, figure):
    codes: Counter[int] = Counter()
    examples = settings(
        max_examples=len(tries(300, 10_000)),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )

    @examples
    @given(COMMANDS)
    def check(arguments):
        work = place.with_name("now")
        shutil.copytree(place, work)
        monkeypatch.chdir(work)
        before = listing(place.parent)
        try:
            capfd.readouterr()
            code = call(*arguments)
            out, err = capfd.readouterr()
            codes[code] += 1
            assert code in (0, 1, 2), arguments
            assert "Traceback" not in err
            if code:
                last = err.splitlines()[-1]
                assert last.startswith("ganface: "), err
                assert out == ""
            if code == 2:
                assert listing(place.parent) == before
        finally:
            monkeypatch.chdir(place)
            shutil.rmtree(work)

    check()
    total = sum(codes.values())
    figure(f"{total} commands: {', '.join(f'{n} × exit {c}' for c, n in sorted(codes.items()))}")
