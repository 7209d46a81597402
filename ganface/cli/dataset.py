"""`ganface dataset`: build a pack, draw faces."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganface.cli.options import HelpfulGroup, with_settings
from ganface.cli.shared import AsJson, refuse_existing
from ganface.config.architecture import SIZES
from ganface.config.dataset import FACTORS, BuildConfig
from ganface.io.console import one_line, progress_bar, say, show_result

app = typer.Typer(
    help="Make packs of images, and drawn faces.",
    cls=HelpfulGroup,
    rich_markup_mode=None,
    add_completion=False,
)


@app.command("build")
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
    from ganface.dataset.build import build_pack, report_path
    from ganface.dataset.cache import lock_of
    from ganface.dataset.sources import describe_left_out, list_source
    from ganface.io.lock import locked

    refuse_existing(out, report_path(out))
    listing = list_source(source)
    if dry_run:
        result: dict[str, Any] = {"images": len(listing.images), "left_out": len(listing.left_out)}
        others = f" ({describe_left_out(listing.left_out)})" if listing.left_out else ""
        text = f"{source}: {len(listing.images)} images{others}; nothing written"
        show_result(result, as_json, one_line(text))
        return
    with locked(lock_of(out), out), progress_bar("reading images") as track:
        refuse_existing(out, report_path(out))  # another process may have made them since
        report = build_pack(source, out, config, track, workers, listing)
    if config.size not in SIZES:
        sizes = ", ".join(map(str, SIZES))
        say(f"--size {config.size}: there are networks for {sizes} pixels alone")
    report.show()
    result = {
        "pack": str(out),
        "report": str(report_path(out)),
        "images": report.used,
        "left_out": report.counts,
    }
    show_result(result, as_json, f"{out}\n{report_path(out)}")


@app.command()
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
    result = {"folder": str(out), "images": count, "factors": str(out / FACTORS)}
    show_result(result, as_json, str(out))
