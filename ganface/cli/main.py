"""The commands. Each imports what it needs when it runs, torch above all.

Annotations are objects here, not texts: typer needs them, and would have to compile each text.
"""

import dataclasses
import json
import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from ganface import __version__
from ganface.cli.options import pick, with_settings
from ganface.config.settings import (
    BuildConfig,
    DeviceConfig,
    TrainConfig,
    check_size,
    parse_integers,
)
from ganface.errors import CannotWriteError, Interrupted, UserError, WorkError, is_out_of_memory
from ganface.io.console import (
    as_text,
    guard_streams,
    one_line,
    progress_bar,
    show_report,
    show_result,
    stderr,
)
from ganface.system.signals import exit_on_signals

if TYPE_CHECKING:
    from ganface.dataset.pack import Pack
    from ganface.io.run import Run
    from ganface.models.dcgan import Generator
    from ganface.training.checkpoint import Training
    from ganface.training.distributed import Processes
    from ganface.training.prepare import Plan

app = typer.Typer(
    name="ganface",
    help="Train a GAN on a folder of anime faces and watch it learn.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help is there in half the time, and cuts nothing off
    add_completion=False,
    pretty_exceptions_enable=False,
)
dataset_app = typer.Typer(
    help="Make packs of images, and drawn faces.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(dataset_app, name="dataset")

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Cache = Annotated[
    Path | None, typer.Option("--cache", metavar="DIR", help="Where packs made by train are kept.")
]
Model = Annotated[Path, typer.Argument(help="A run directory, a checkpoint or a snapshot.")]
Step = Annotated[int | None, typer.Option(help="Take this milestone of a run, not its latest.")]
Best = Annotated[bool, typer.Option("--best", help="Take a run's snapshot with the best score.")]


# ---------------------------------------------------------------------------- dataset


@dataset_app.command("build")
@with_settings(BuildConfig)
def build(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A folder, or a .zip.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The pack, a .safetensors file.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; all cores if not given.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the images.")] = False,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Turn images into a pack, and say what was left out and why."""
    config = BuildConfig(**given)
    from ganface.dataset.build import build_pack, list_source, lock_of, report_path
    from ganface.io.lock import locked

    for path in (out, report_path(out)):
        refuse_existing(path)
    listing = list_source(source)
    if dry_run:
        result = {"images": len(listing.images), "left_out": len(listing.left_out)}
        show_result(result, as_json, f"{source}: {len(listing.images)} images; nothing written")
        return
    with locked(lock_of(out), out), progress_bar("reading images") as track:
        for path in (out, report_path(out)):
            refuse_existing(path)  # another process may have made them since
        report = build_pack(source, out, config, track, workers, listing)
    show_report(report)
    result = {
        "pack": str(out),
        "report": str(report_path(out)),
        "images": report.used,
        "left_out": report.counts,
    }
    show_result(result, as_json, f"{out}\n{report_path(out)}")


@dataset_app.command()
def demo(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="Faces to draw.")] = 2000,
    size: Annotated[int, typer.Option(min=32, max=1024, help="Side in pixels.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other faces.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Draw faces as PNG files, with the truth about each in factors.csv."""
    from ganface.dataset.demo import draw_faces

    refuse_existing(out, folder=True)
    with progress_bar("drawing faces") as track:
        draw_faces(out, count, size, seed, track)
    result = {"folder": str(out), "images": count, "factors": str(out / "factors.csv")}
    show_result(result, as_json, str(out))


# ---------------------------------------------------------------------------- train


@app.command()
@with_settings(BuildConfig, TrainConfig)
def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder, a .zip or a pack.")],
    out: Annotated[
        Path | None, typer.Option(metavar="RUN", help="The run directory; runs/NAME if not given.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint.")
    ] = False,
    cache: Cache = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, write nothing.")] = False,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Train a DCGAN, and draw the same faces again as it learns."""
    from ganface.dataset.pack import is_pack
    from ganface.io.files import read_header
    from ganface.io.run import Run

    # What can be refused without PyTorch is, since that takes seconds to load
    if not data.exists():
        raise UserError(f"{data}: there is no such file or folder")
    if is_pack(data):
        read_header(data, "pack")
    run = Run(out or Path("runs") / name_of(data))
    if not run.begun(resume):
        check_settings(pick(BuildConfig, given), pick(TrainConfig, given))

    from ganface.training.distributed import this_process
    from ganface.training.prepare import check_memory, make_plan

    processes = this_process()
    plan = make_plan(run, resume, pick(BuildConfig, given), pick(TrainConfig, given), processes)
    check_memory(data, plan, processes)
    if dry_run:
        if processes.is_main:
            show_plan(data, run, plan, as_json)
        return
    with processes.joined(plan.compute.device):
        step = train_together(data, run, plan, given, resume, cache, processes)
    result = {
        "run": str(run.path),
        "step": step,
        "timeline": str(run.timeline),
        "timeline_gif": str(run.timeline_gif),
        "generator": str(run.generator),
    }
    if processes.is_main:
        show_result(result, as_json, f"{run.timeline}\n{run.timeline_gif}\n{run.generator}")


def check_settings(build: dict[str, Any], train: dict[str, Any]) -> None:
    """Raise UserError for settings that no training can begin with."""
    if train.get("init_from") is not None:
        from ganface.training.init_from import find_origin

        build, train = find_origin(Path(train["init_from"])).adopt(build, train)
    check_size(BuildConfig(**build).size)
    TrainConfig.of(train)


def train_together(
    data: Path,
    run: "Run",
    plan: "Plan",
    given: dict[str, Any],
    resume: bool,
    cache: Path | None,
    processes: "Processes",
) -> int:
    """What `train` does once its processes are joined. Returns the last step."""
    from ganface.io.files import cache_folder
    from ganface.training.prepare import begin, open_data
    from ganface.training.progress import Display
    from ganface.training.recovery import train as train_on

    for turn in processes.in_turn():
        if turn:
            with progress_bar("reading images") as track:
                folder = cache or cache_folder() or run.cache
                pack, report = open_data(data, plan, pick(BuildConfig, given), folder, track)
            if report:
                show_report(report)

    with run.lock() if processes.is_main else nullcontext():
        training, notes = begin(run, pack, plan, resume, processes)
        again = resuming(data, run, cache, processes)
        console = stderr(quiet=not processes.is_main)
        with Display(console, training.step, plan.train.steps) as display:
            for note in [*notes, *describe(training, run, pack, plan, processes)]:
                display.note(note)
            try:
                training = train_on(run, pack, plan, training, display, processes)
            except Interrupted as stop:
                message = f"{stop}. To go on: {again}"
                raise Interrupted(
                    message if processes.is_main else "", stop.signal_number
                ) from None
            except SystemExit as end:  # a second signal
                saved = max(run.checkpoints(), default=None)
                last = "nothing is saved yet" if saved is None else f"saved is step {saved}"
                message = f"stopped at once; {last}. To go on: {again}"
                raise Interrupted(message if processes.is_main else "", end.code - 128) from None
            except CannotWriteError as error:
                message = f"{error}. To go on once it can: {again}"
                raise CannotWriteError(message) from error
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                message = f"{explain(error)[1]}. To go on: {again}"
                raise WorkError(message) from error
    return training.step


def resuming(data: Path, run: "Run", cache: Path | None, processes: "Processes") -> str:
    """The command that goes on; of several processes, what torchrun is to start."""
    import shlex

    again = ["ganface", "train", str(data), "--out", str(run.path), "--resume"]
    again += ["--cache", str(cache)] if cache else []
    return ("torchrun … -m " if processes.world_size > 1 else "") + shlex.join(again)


def describe(
    training: "Training", run: "Run", pack: "Pack", plan: "Plan", processes: "Processes"
) -> list[str]:
    config, compute = plan.train, plan.compute
    times = f"{processes.world_size} processes on " if processes.world_size > 1 else ""
    return [
        f"{len(pack)} images of {pack.size} × {pack.size}, {times}{compute.name}, "
        f"{compute.precision}, {'compiled' if training.meta['compiled'] else 'PyTorch'} kernels",
        f"DCGAN of width {config.width}, preset {config.preset}, z of {config.z_dim}, "
        f"batches of {config.batch_size}, "
        f"{config.steps} steps into {run.path}",
    ]


def show_plan(data: Path, run: "Run", plan: "Plan", as_json: bool) -> None:
    """What `train --dry-run` says."""
    from ganface.training.prepare import count_images

    result: dict[str, Any] = {
        "images": count_images(data, plan),
        "run": str(run.path),
        "device": plan.compute.name,
        "precision": plan.compute.precision,
        "build": dataclasses.asdict(plan.build),
        "train": dataclasses.asdict(plan.train),
    }
    lines = "\n".join(f"{key}: {value}" for key, value in result.items())
    show_result(result, as_json, lines + "\nnothing written")


# ---------------------------------------------------------------------------- pictures


@app.command()
@with_settings(DeviceConfig)
def sample(
    model: Model,
    seeds: Annotated[str, typer.Option(help="Which faces: one seed, one face.")] = "0-63",
    as_grid: Annotated[
        bool, typer.Option("--grid", help="One picture of all, the default.")
    ] = False,
    as_images: Annotated[bool, typer.Option("--images", help="A file for each face.")] = False,
    step: Step = None,
    best: Best = False,
    out: Annotated[
        Path | None,
        typer.Option(help="The PNG; with --images, a folder. NAME-faces if not given."),
    ] = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Draw faces: one grid, or a file for each."""
    from ganface.io.run import find_model
    from ganface.models.header import read_model_header

    numbers = parse_integers("--seeds", seeds)
    path = find_model(model, step, best)
    mention_best(model, path)
    read_model_header(path)
    out = choose_out(out, f"{name_of(model)}-faces" + ("" if as_images else ".png"), as_images)
    if not as_images and out.suffix.lower() != ".png":
        raise UserError(f"--out {out}: a grid is a .png; for a folder of faces add --images")

    from ganface.latents.seeds import z_of
    from ganface.models.generate import BATCH, generate, use_compiled_kernels
    from ganface.pictures.grid import grid, square_columns, to_pil
    from ganface.pictures.png import save_png
    from ganface.system.parallel import map_in_threads

    G, meta = open_generator(path, given)
    made_by = origin(meta)
    written: list[Path] = []

    def draw(part: Sequence[int]) -> list[Path]:
        paths = [out / f"seed-{seed:06d}.png" for seed in part]
        faces = generate(G, z_of(part, G.z_dim))
        for seed, path, face in zip(part, paths, faces, strict=True):
            meta = {"kind": "face", "seeds": str(seed), **made_by}
            save_png(path, to_pil(face), meta, durable=False)
        return paths

    if as_images:
        once = list(dict.fromkeys(numbers))
        use_compiled_kernels(G, len(once))
        parts = [once[start : start + BATCH] for start in range(0, len(once), BATCH)]
        with progress_bar("drawing faces") as track:
            for paths in track(map_in_threads(draw, parts), len(parts)):
                written += paths
    if as_grid or not as_images:
        written.append(out / "grid.png" if as_images else out)
        sheet = grid(generate(G, z_of(numbers, G.z_dim)), square_columns(len(numbers)))
        save_png(written[-1], sheet, {"kind": "grid", "seeds": seeds, **made_by})
    show_result(
        {"out": str(out), "files": [str(file) for file in written], **made_by}, as_json, str(out)
    )


@app.command()
@with_settings(DeviceConfig)
def interpolate(
    model: Model,
    seeds: Annotated[str | None, typer.Option(help="Faces to walk through.")] = None,
    mode: Annotated[
        Literal["slerp", "lerp"], typer.Option(help="Along the sphere, or straight.")
    ] = "slerp",
    frames: Annotated[int, typer.Option(min=2, max=10_000, help="Frames per leg.")] = 24,
    fps: Annotated[int, typer.Option(min=1, max=50, help="Frames per second.")] = 20,
    loop: Annotated[bool, typer.Option("--loop", help="Walk back to the first face.")] = False,
    rows: Annotated[int, typer.Option(min=1, help="So many walks; the seeds are shared out.")] = 1,
    dims: Annotated[
        str | None, typer.Option(help="Instead of a walk: a row for each of these entries of z.")
    ] = None,
    dim_range: Annotated[str, typer.Option("--range", help="From, to, with --dims.")] = "-3,3",
    step: Step = None,
    best: Best = False,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            help=".gif, .webp or .mp4: moving; .png: a strip; else a folder of frames. "
            "May be given several times; NAME-walk.gif and .png if not."
        ),
    ] = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Walk from face to face, or along single dimensions of z."""
    from ganface.io.run import find_model
    from ganface.models.header import read_model_header

    path = find_model(model, step, best)
    mention_best(model, path)
    read_model_header(path)
    default = f"{name_of(model)}-{'dims' if dims else 'walk'}"
    outs = [choose_out(each, "", folder=not each.suffix) for each in out or []]
    outs = outs or [choose_out(None, default + suffix) for suffix in (".gif", ".png")]
    kinds = [output_kind(each) for each in outs]
    if dims is not None:
        entries, (low, high) = parse_integers("--dims", dims), parse_range(dim_range)
        if rows != 1 or mode != "slerp":
            raise UserError("--dims: does not go with --rows and --mode")
    seeds = seeds or ("0" if dims is not None else f"0-{5 * rows - 1}")
    numbers = parse_integers("--seeds", seeds)
    if dims is not None and len(numbers) != 1:
        raise UserError(f"--seeds {seeds}: --dims holds one face, so give one seed")
    if dims is None and (len(numbers) % rows or len(numbers) < 2 * rows):
        raise UserError(
            f"--seeds {seeds}: each walk of --rows {rows} needs the same number of seeds, "
            "two or more"
        )

    from ganface.latents.paths import lerp, slerp, sweep, walks
    from ganface.latents.seeds import z_of
    from ganface.models.generate import render_walks
    from ganface.pictures.animation import save_animation
    from ganface.pictures.png import save_png
    from ganface.pictures.walks import draw_strip, draw_sweep, draw_walk_frames

    G, meta = open_generator(path, given)
    z = z_of(numbers, G.z_dim)
    made_by = {"seeds": seeds, "frames": frames, **origin(meta)}
    if dims is not None:
        if max(entries) >= G.z_dim:
            raise UserError(f"--dims {dims}: z has {G.z_dim} entries, 0 to {G.z_dim - 1}")
        faces = render_walks(G, sweep(z[0], entries, low, high, frames))
        strip = draw_sweep(faces, entries, low, high)
        made_by |= {"kind": "dims", "dims": dims, "range": [low, high]}
    else:
        way = {"slerp": slerp, "lerp": lerp}[mode]
        faces = render_walks(G, walks(z, rows, frames, way, loop))
        strip = draw_strip(faces)
        made_by |= {"kind": "walk", "mode": mode, "loop": loop}

    pictures = draw_walk_frames(faces)
    for each, kind in zip(outs, kinds, strict=True):
        if kind == "strip":
            save_png(each, strip, made_by)
        elif kind == "folder":
            for index, picture in enumerate(pictures):
                path = each / f"frame-{index:05d}.png"
                save_png(path, picture, {**made_by, "frame": index}, durable=False)
        else:
            save_animation(each, pictures, [round(1000 / fps)] * len(pictures))
    result = {"out": [str(each) for each in outs], **made_by}
    show_result(result, as_json, "\n".join(map(str, outs)))


def output_kind(path: Path) -> str:
    """What `interpolate` writes to a path of this name. Raises UserError if it cannot."""
    suffix = path.suffix.lower()
    if suffix in ("", ".png"):
        return "strip" if suffix else "folder"

    from ganface.pictures.animation import check_animation

    check_animation(path)
    return "animation"


def parse_range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"--range {text}: write two numbers, such as -3,3") from None
    if not -1000 <= low < high <= 1000:
        raise UserError(f"--range {text}: must rise, within -1000 and 1000")
    return low, high


# ---------------------------------------------------------------------------- evaluate


@app.command()
@with_settings(BuildConfig, DeviceConfig)
def evaluate(
    images: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A run directory, a checkpoint or a snapshot; or images that something else made: "
            "a folder, a .zip or a pack.",
        ),
    ],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder, a .zip or a pack.")],
    count: Annotated[
        int | None,
        typer.Option(min=1, help="Images to measure; 50,000 on a GPU, 5,000 on a CPU."),
    ] = None,
    step: Step = None,
    best: Best = False,
    all_steps: Annotated[
        bool, typer.Option("--all-steps", help="Measure every milestone of a run.")
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where Inception's weights are, for FID and the like."),
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Download these weights, 90 MB, if need be.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="A new folder; NAME-evaluation if not given.")
    ] = None,
    cache: Cache = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Say how good the faces are, beside real ones."""
    from ganface.io.run import find_models, is_model

    for path in (images, data):
        if not path.exists():
            raise UserError(f"{path}: there is no such file or folder")
    models = find_models(images, step, best, all_steps) if is_model(images) else []
    for path in models:
        mention_best(images, path)
    if not models and (step is not None or best or all_steps):
        raise UserError(f"{images}: images have no steps; leave --step, --best, --all-steps out")
    out = choose_out(out, f"{name_of(images)}-evaluation", folder=True)

    from ganface.evaluation.drawn import DrawnImages, choose
    from ganface.evaluation.evaluate import Evaluation, draw_pairs, split_size
    from ganface.evaluation.fidelity import Fidelity, Inception
    from ganface.evaluation.report import describe_protocol, draw_figures, figures_table
    from ganface.io.files import cache_folder, write_text
    from ganface.pictures.png import save_png
    from ganface.system.device import choose_device

    device = choose_device(DeviceConfig(**pick(DeviceConfig, given)).device)
    asked = count or (5_000 if device.type == "cpu" else 50_000)
    weights, missing = find_inception(weights, download)
    cache = cache or cache_folder() or out / "cache"
    reals, made = open_both(images, models, data, cache, given)
    available = len(made) if made else asked
    count = split_size(asked, available, len(reals))
    drawn = asked if weights else count  # papers take more samples than half the reals
    if missing:
        stderr().print(missing, soft_wrap=True)
    if count < asked:
        there = f"there are {available}, and {len(reals)} reals to be split in two"
        stderr().print(f"{count} images are measured, not {asked}: {there}", soft_wrap=True)
    with progress_bar("reals") as track:
        evaluation = Evaluation(reals, count, device, track)
        fidelity = Fidelity(reals, count, Inception(weights, device), track) if weights else None
    floors = evaluation.floors | (fidelity.floors if fidelity else {})

    measured: list[dict[str, Any]] = []
    for path in models or [images]:
        if made:
            name, made_by, fakes, chosen = name_of(path), {}, made, choose(made, drawn)
        else:
            G, meta = open_generator(path, pick(DeviceConfig, given))
            name, made_by = f"step {meta['step']:,}", origin(meta)
            fakes, chosen = DrawnImages(G, drawn), range(drawn)
        with progress_bar(name) as track:
            figures, pairs = evaluation.measure(fakes, chosen[:count], track)
            if fidelity:
                figures |= fidelity.measure(fakes, chosen, track)
        pairs_as_json = [asdict(pair) for pair in pairs]
        measured.append({"name": name, **made_by, "figures": figures, "pairs": pairs_as_json})

    result = {
        "images": str(images),
        "data": str(data),
        **describe_protocol(reals, count, len(chosen), device, weights),
        "floors": floors,
        "measured": measured,
    }
    files = [out / "evaluation.json", out / "pairs.png"]
    write_text(files[0], json.dumps(result, indent=1) + "\n")
    save_png(files[1], draw_pairs(fakes, reals, pairs), {"kind": "pairs", **made_by})
    if all_steps:
        files.append(out / "chart.png")
        steps = {each["step"]: each["figures"] for each in measured}
        save_png(files[2], draw_figures(steps, floors), {"kind": "chart", "steps": [*steps]})
    columns = {each["name"]: each["figures"] for each in measured}
    text = [as_text(figures_table(f"{count:,} images", columns, floors)), "", *map(str, files)]
    show_result({**result, "files": text[2:]}, as_json, "\n".join(text))


def find_inception(folder: Path | None, download: bool) -> tuple[Path | None, str]:
    """The weights that FID needs; or None, and why not."""
    from ganface.evaluation.fidelity import NotAvailableError, find_weights

    try:
        return find_weights(folder, download), ""
    except NotAvailableError as reason:
        return None, f"no FID, KID, precision and recall: {reason}"


def open_both(
    images: Path, models: Sequence[Path], data: Path, cache: Path, given: dict[str, Any]
) -> "tuple[Pack, Pack | None]":
    """The reals, and images of their size that are measured, if no generator draws these."""
    from ganface.dataset.build import open_pack
    from ganface.io.run import Run, read_config

    wanted = pick(BuildConfig, given)
    settings = dict(wanted)
    if models:
        if images.is_dir():
            settings = read_config(Run(images))["build"] | settings
        size = open_generator(models[-1], pick(DeviceConfig, given))[0].size
        if wanted.setdefault("size", size) != size:
            raise UserError(f"--size {wanted['size']}: {images} makes faces of {size} pixels")
        settings["size"] = size
    check_size(settings.get("size", BuildConfig.size))
    with progress_bar("reading images") as track:
        reals, report = open_pack(data, BuildConfig(**settings), wanted, cache, track)
        if report:
            show_report(report)
        if models:
            return reals, None
        # Of images that were made, equal ones must stay: they tell that faces became alike
        settings |= {"size": reals.size, "dedupe": "off"}
        fakes, report = open_pack(
            images, BuildConfig(**settings), {"size": reals.size}, cache, track
        )
        if report:
            show_report(report)
    return reals, fakes


# ---------------------------------------------------------------------------- plot


@app.command()
def plot(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    out: Annotated[Path | None, typer.Option(help="The PNG; NAME-plot.png if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw how a training went, as one chart."""
    from ganface.io.run import Run
    from ganface.io.stats import read_lines
    from ganface.pictures.plot import draw_plot

    stats = Run(run).stats
    try:
        lines = read_lines(stats)
    except OSError as error:
        raise UserError(f"{run}: not a run directory with a stats.jsonl") from error
    if not lines:
        raise UserError(f"{stats}: holds no statistics yet; they come with the first 10 updates")
    out = choose_out(out, f"{name_of(run)}-plot.png")
    if out.suffix.lower() != ".png":
        raise UserError(f"--out {out}: a plot is a .png")

    from ganface.pictures.png import save_png

    step = lines[-1]["step"]
    save_png(out, draw_plot(lines), {"kind": "plot", "step": step})
    verdict = lines[-1].get("verdict")
    show_result({"out": str(out), "step": step, "verdict": verdict}, as_json, str(out))


# ---------------------------------------------------------------------------- info


@app.command()
def info(
    file: Annotated[Path, typer.Argument(help="A pack, checkpoint, snapshot or PNG; or a run.")],
    as_json: AsJson = False,
) -> None:
    """Say what a file made here holds, and check that it is whole."""
    from ganface.io.files import check, read_header
    from ganface.io.run import find_model
    from ganface.models.header import PREFIXES, read_model_header
    from ganface.pictures.png import read_png_meta

    path = find_model(file)
    if path.suffix.lower() == ".png":
        meta = read_png_meta(path)
    else:
        if read_header(path).meta["kind"] in PREFIXES:
            read_model_header(path)  # first, as what it refuses may be endless
        meta = check(path)
    if meta is None:
        raise UserError(f"{path}: a picture that was not made by ganface, or damaged")
    lines = [one_line(f"{key}: {_compact(value)}") for key, value in meta.items()]
    show_result({"file": str(path), **meta}, as_json, "\n".join(lines))


def _compact(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_compact(part)}" for key, part in value.items())
    return str(value)


# ---------------------------------------------------------------------------- shared by commands


def refuse_existing(path: Path, folder: bool = False) -> None:
    """Nothing is ever written over; where a `folder` is to be made, an empty one may be there."""
    from ganface.io.files import check_writable

    check_writable(path)
    fillable = folder and path.is_dir() and not any(path.iterdir())
    if path.exists() and not fillable:
        raise UserError(f"{path}: exists already; give another name, or remove it")


def choose_out(given: Path | None, default: str, folder: bool = False) -> Path:
    """The given path if it is free; if none was given, `default`, numbered if it is taken."""
    if given is not None:
        refuse_existing(given, folder)
        return given
    path = Path(default)
    number = 2
    while path.exists():
        path = Path(f"{Path(default).stem}-{number}{path.suffix}")
        number += 1
    return path


def name_of(path: Path) -> str:
    path = path.resolve()
    return path.name if path.is_dir() else path.stem


def open_generator(path: Path, given: dict[str, Any]) -> "tuple[Generator, dict[str, Any]]":
    """The generator of a model file on the device that was asked for, and its metadata."""
    import torch

    from ganface.models.snapshot import load_generator
    from ganface.system.device import choose_device

    device = choose_device(DeviceConfig(**given).device)
    G, meta = load_generator(path)
    return G.to(device, memory_format=torch.channels_last), meta


def mention_best(model: Path, chosen: Path) -> None:
    """Say so if the file that was chosen is a run's latest, and it had a much better one."""
    from ganface.io.run import Run
    from ganface.io.stats import read_lines
    from ganface.methods.gan_verdict import compare_latest

    if chosen != Run(model).generator:
        return
    with suppress(OSError):
        remark = compare_latest(read_lines(Run(model).stats))
        if remark:
            stderr().print(remark, soft_wrap=True, highlight=False)


def origin(meta: dict[str, Any]) -> dict[str, Any]:
    """What a picture's metadata says of the model that made it."""
    return {"step": meta["step"], "snapshot": meta["sha256"]}


# ---------------------------------------------------------------------------- start and end


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ganface {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks of errors. May stand anywhere.")
    ] = False,
) -> None:
    """Train a GAN on a folder of anime faces and watch it learn."""


def main() -> NoReturn:
    """Run a command. A user's error becomes one line and an exit code, ours keeps its traceback."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    guard_streams()
    exit_on_signals()
    try:
        sys.exit(app([a for a in arguments if a != "--debug"], standalone_mode=False) or 0)
    except (UserError, typer.TyperException, OSError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not is_out_of_memory(error):
            raise
        if debug:
            import traceback

            traceback.print_exception(error)
        code, message = explain(error)
    if message:
        print(f"ganface: {one_line(message)}", file=sys.stderr)
    sys.exit(code)


def explain(error: Exception) -> tuple[int, str]:
    """The exit code for an error, and what to say of it."""
    if isinstance(error, (MemoryError, RuntimeError)):
        size = re.search(r"tried to allocate ([\d.]+ \w+)", str(error), re.IGNORECASE)
        more = f" ({size[1]} more are not there)" if size else ""
        return 1, f"out of memory{more}; end other programs, or ask for less"
    if isinstance(error, UserError):
        return error.exit_code, str(error)
    if isinstance(error, typer.TyperException):
        return 2, error.format_message()
    return 1, ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
