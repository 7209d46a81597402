"""What each command refuses, and that some need no torch for it."""

import json
import shlex
import struct
import subprocess
import sys
import zlib

import pytest
from conftest import draw_folder, tree


def run_without_torch(commands, code):
    """Run commands in one process, which fails if one of them ends otherwise or loads torch."""
    script = (
        "import sys, json\n"
        "from ganface.cli.main import main\n"
        "for command in json.loads(sys.argv[1]):\n"
        "    sys.argv[1:] = command\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        f"        assert end.code == {code}, command\n"
        "    assert 'torch' not in sys.modules, command\n"
    )
    words = [sys.executable, "-c", script, json.dumps(commands)]
    result = subprocess.run(words, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()


def test_help_info_and_plot_need_no_torch(made, tiny_run):
    commands = [["--help"], ["--version"], ["plot", str(tiny_run.path)]]
    commands += [[*name.split(), "--help"] for name in ("train", "sample", "dataset build")]
    commands += [["info", str(path)] for path in made.values()]
    run_without_torch(commands, code=0)


def huge_png():
    """A PNG that claims 30,000 × 30,000 pixels and holds none."""
    body = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body
    return start + struct.pack(">I", zlib.crc32(body)) + struct.pack(">I", 0) + b"IDAT"


@pytest.fixture
def place(home, tiny_run, pack_file, faces):
    """The working folder with things in it that get in the way of commands."""
    (home / "empty").mkdir()
    draw_folder(home / "few", range(5))
    (home / "docs").mkdir()
    (home / "docs" / "notes.txt").write_text("mine")
    (home / "file.txt").write_text("mine")
    (home / "old.png").write_bytes(b"mine")
    (home / "old.gif").write_bytes(b"mine")
    for name in ("a", "b"):
        (home / "many" / name).mkdir(parents=True)
        (home / "many" / name / "config.json").write_text("{}")
    (home / "huge.png").write_bytes(huge_png())
    (home / "foreign.png").write_bytes((faces / "000.png").read_bytes())
    (home / "cut.safetensors").write_bytes(tiny_run.generator.read_bytes()[:-50])
    (home / "cut.zip").write_bytes(b"PK\3\4 and the rest was not downloaded")
    (home / "run").symlink_to(tiny_run.path, target_is_directory=True)
    (home / "pack").symlink_to(pack_file)
    (home / "faces").symlink_to(faces, target_is_directory=True)
    return home


REFUSED = """
    train nothing                               | nothing: there is no such file or folder
    train nothing --dry-run                     | nothing: there is no such file or folder
    train empty                                 | empty: no image in it; it is empty
    train docs                                  | docs: no image in it; found 1 × .txt
    train file.txt                              | file.txt: not a pack
    train cut.safetensors                       | cut.safetensors: a snapshot, where a pack
    train cut.zip                               | cut.zip: the zip is cut off or damaged
    train few --dry-run                         | few: 5 images, fewer than --batch-size 64
    train few                                   | few: 5 images, fewer than --batch-size 64
    train faces --size 48                       | --size 48
    train pack --size 64                        | --size was 32, now 64
    train faces --seeds 5-1                     | --seeds 5-1: the range 5-1 runs backwards
    train faces --seeds 0-99999 --size 32       | --seeds 0-99999: a picture of 317 × 316
    train faces --milestones 0                  | --milestones 0
    train faces --batch-size 1                  | --batch-size 1: must be at least 2
    train faces --steps many                    | --steps many: must be a whole number
    train faces --lr fast                       | --lr fast: must be a number
    train faces --lr nan                        | --lr nan
    train faces --background notacolour         | --background notacolour: is no colour
    train faces --precision fp16 --device cpu   | --precision fp16: not on cpu
    train faces --label-columns hair            | --label-columns hair: does nothing without
    train faces --crop middle                   | --crop middle: must be one of center, none
    train faces --loss wgan                     | wgan-gp, rpgan; did you mean wgan-gp?
    train faces --size                          | --size: needs a value
    train faces --out docs                      | docs: exists and is no run directory
    train faces --out file.txt                  | file.txt: exists and is no run directory
    train faces --out file.txt/run              | file.txt/run: cannot be written
    train faces --out run                       | run: holds a run already; add --resume
    train faces --flip=yes                      | --flip: takes no value
    train faces --nonsense                      | --nonsense: no such option
    train faces --label-colums x                | such option (did you mean --label
    train faces more                            | more: more than this takes; usage:
    train                                       |  train [OPTIONS] DATA;
    trian                                       | trian: no such command (did you mean 'train'?);
    dataset nonsense                            | dataset -h lists all commands
    compare                                     | MODEL... [DATA]: is missing; usage:
    sample                                      |  sample [OPTIONS] MODEL;
    dataset build nothing new                   | nothing: there is no such file or folder
    dataset build cut.zip new                   | cut.zip: the zip is cut off or damaged
    dataset build faces old.png                 | old.png: exists already
    dataset build faces docs                    | docs: exists already
    dataset build faces empty                   | empty
    dataset build faces file.txt/pack           | file.txt/pack: cannot be written
    dataset build faces new --size 4            | --size 4: must lie between 8 and 1024
    dataset build faces new --max-bad 101       | --max-bad 101
    dataset build faces new --workers 0         | --workers 0: must be a whole number from 1
    dataset demo docs                           | docs: exists already
    dataset demo new --count 0                  | --count 0: must be a whole number from 1 to
    sample nothing                              | nothing: there is no such file or run
    sample docs                                 | docs: not a run directory
    sample file.txt                             | file.txt: not a snapshot or checkpoint
    sample cut.safetensors                      | cut.safetensors: damaged
    sample pack                                 | pack: a pack, where a snapshot or checkpoint
    sample run --step 5                         | --step 5: run has no snapshot of it
    sample pack --step 5                        | --step 5: pack is one file
    sample run --seeds 5-1                      | --seeds 5-1: the range 5-1 runs backwards
    sample run --seeds ''                       | --seeds
    sample run --best                           | --best: run has no score yet
    sample run --best --step 4                  | --step 4: does not go with --best
    sample pack --best                          | --best: pack is one file
    evaluate run pack --best --all-steps        | --best: run has no score yet
    sample run --out old.png                    | old.png: exists already
    sample run --out new.jpg                    | --out new.jpg
    sample run --latents nothing                | nothing: cannot be read
    sample run --latents file.txt               | file.txt: not a file of latents of ganface
    sample run --latents pack                   | pack: a pack, where a file of latents is needed
    sample run --latents pack --seeds 1         | --latents pack: is in place of --seeds
    sample run --images --out docs              | docs: exists already
    sample run --images --out file.txt          | file.txt: exists already
    sample run --images --out file.txt/faces    | file.txt/faces: cannot be written
    sample run --out file.txt/grid.png          | file.txt/grid.png: cannot be written
    sample run --images --out new.png           | --out new.png: --images fill a folder
    sample run --seeds 0-99999                  | --seeds 0-99999: a picture of 317 × 316 faces
    sample run --seeds 0-99 --scale 32          | is the most; draw fewer or smaller ones
    sample run --scale 0                        | --scale 0.0: must lie between 0.1 and 32
    sample run --scale nan                      | --scale nan: must lie between 0.1 and 32
    sample run --seeds 0-8999 --titles          | a picture of 95 × 95 faces would be
    sample run --frames new.png                 | the name must end in .gif, .webp or .mp4
    sample run --titles --images                | --titles: faces by --images have none
    sample run --move tilt=1                    | --move tilt=1: does nothing without --dir
    sample many                                 | give one of them: many/a, many/b
    sample run --device cuda                    | --device cuda: PyTorch sees no such GPU
    interpolate nothing                         | nothing: there is no such file or run
    interpolate run --seeds 1                   | --seeds 1
    interpolate run --seeds 0-4 --rows 2        | --seeds 0-4
    interpolate run --latents pack --seeds 1,2  | --latents pack: is in place of --seeds
    interpolate run --dims 8                    | --dims 8: z has 8 entries, 0 to 7
    interpolate run --seeds 0-999 --rows 500    | a picture of 13 × 500 faces would be
    interpolate run --dims x                    | --dims x
    interpolate run --dims 0 --seeds 0-1        | --seeds 0-1: --dims holds one face
    interpolate run --dims 0 --rows 2           | --dims
    interpolate run --range=-2,2                | --range -2,2: does nothing without --dims
    interpolate run --dims 0 --mode slerp       | --dims 0: does not go with --mode
    interpolate run --dims 0 --loop             | --dims 0: does not go with --loop
    interpolate run --dims 0 --directions pack  | --dims 0: does not go with --directions
    interpolate run --pick 0                    | --pick 0: does nothing without --directions
    interpolate run --fps 9 --out new.png       | --fps 9: does nothing without a .gif, .webp
    interpolate run --label a=b --label a=c --rows 2 | --label twice: does not go with --rows
    interpolate run --dims 0 --range 3          | --range 3: write two numbers
    interpolate run --dims 0 --range 3,-3       | --range 3,-3: must rise
    interpolate run --dims 0 --range nan,1      | --range nan,1
    interpolate run --frames 1                  | --frames 1: must be a whole number from 2
    interpolate run --mode circle               | --mode circle: must be one of slerp, lerp
    interpolate run --out old.png               | old.png: exists already
    interpolate run --seeds 3                   | --seeds 3: a walk needs two faces or more
    interpolate run --seeds 1-3 --rows 2        | --seeds 1-3: each walk of --rows 2 needs
    interpolate run --out new.avi               | .gif, .webp, .mp4 or .png
    interpolate run --out file.txt/walk.gif     | file.txt/walk.gif: cannot be written
    interpolate run --between nothing,old.png   | nothing: there is no such file
    interpolate run --between old.png --dims 0  | --between old.png: does not go with
    interpolate run --between old.png,          | --between old.png,: write names of images
    project nothing faces                       | nothing: there is no such file or run
    project run nothing                         | nothing: there is no such file
    project run                                 | IMAGES
    project pack faces                          | pack: a pack, where a snapshot or checkpoint
    project run faces --out old.png             | old.png: exists already
    project run faces --out new.png             | --out new.png: the name must end in
    project run faces --steps 0                 | --steps 0: must be a whole number from 1
    project run empty                           | empty: no image in it
    train faces --method encoder                | --method encoder: needs a G that is finished
    train faces --method encoder --of nothing   | nothing: there is no such file or run
    train faces --method encoder --of pack      | pack: a pack, where a snapshot or checkpoint
    train faces --of run                        | --of: is for --method encoder, not gan
    info nothing                                | nothing: there is no such file or run
    info file.txt                               | file.txt: not a file of ganface
    info foreign.png                            | foreign.png: a picture that was not made by
    info old.png                                | old.png: a picture that was not made by
    info huge.png                               | huge.png
    info old.gif                                | old.gif: a picture that was not made by
    info docs                                   | docs: not a run directory
    info cut.safetensors                        | cut.safetensors: damaged
"""
CASES = [[part.strip() for part in line.split("|")] for line in REFUSED.strip().splitlines()]


@pytest.mark.parametrize(("command", "message"), CASES, ids=[case[0] for case in CASES])
def test_what_cannot_be_done_is_refused_in_one_line_and_leaves_nothing(
    place, invoke, command, message
):
    before = tree(place)
    folders = {path for path in place.rglob("*") if path.is_dir()}
    line = invoke(*shlex.split(command)).refused()
    assert message in line
    assert tree(place) == before
    assert {path for path in place.rglob("*") if path.is_dir()} == folders


# These look into the images, ask for a device, or read a whole model
NEED_TORCH = """
    train empty
    train docs
    train cut.zip
    train few --dry-run
    train few
    train pack --size 64
    train faces --seeds 0-99999 --size 32
    train faces --precision fp16 --device cpu
    sample cut.safetensors
    sample run --device cuda
    interpolate run --dims 8
    project run empty
"""


@pytest.mark.usefixtures("place")
def test_what_is_refused_at_sight_needs_no_torch():
    later = {line.strip() for line in NEED_TORCH.strip().splitlines()}
    commands = [command for command, _ in CASES if command not in later]
    assert len(commands) == len(CASES) - len(later)
    run_without_torch([shlex.split(command) for command in commands], code=2)


def test_debug_shows_where_an_error_came_from(invoke):
    result = invoke("info", "nothing", "--debug")
    assert result.code == 2
    assert "Traceback" in result.err
    assert result.err.splitlines()[-1].startswith("ganface: ")
