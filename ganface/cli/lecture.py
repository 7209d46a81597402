"""`ganface lecture`."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from ganface.cli.options import pick, with_settings
from ganface.cli.shared import AsJson, Cache, refuse_existing, refuse_missing
from ganface.config.architecture import check_size
from ganface.config.dataset import BuildConfig
from ganface.config.hardware import DeviceConfig
from ganface.config.settings import as_flags
from ganface.errors import UserError
from ganface.io.console import show_result

SIZE, MINUTES = 32, 30.0


@with_settings(BuildConfig, DeviceConfig, size=SIZE)
def lecture(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder, a .zip or a pack.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A new folder; lecture if not given.")
    ] = None,
    minutes: Annotated[
        float, typer.Option(min=0.1, help="About how long it may take, in all.")
    ] = MINUTES,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on; trainings that are done are kept.")
    ] = False,
    cache: Cache = None,
    as_json: AsJson = False,
    *,
    given: dict[str, Any],
) -> None:
    """Show the whole lecture, on your images, as a page."""
    refuse_missing(data)
    check_size(given.get("size", SIZE))
    out = out or Path("lecture")
    if resume and not (out / "runs").is_dir():
        raise UserError(f"--resume: {out} holds no lecture yet; leave it out")
    if not resume:
        refuse_existing(out, folder=True)

    from ganface.dataset.cache import open_pack
    from ganface.dataset.pack import is_pack
    from ganface.io.console import progress_bar
    from ganface.io.folders import cache_folder
    from ganface.lecture.build import lecture
    from ganface.system.device import choose_device

    device = choose_device(DeviceConfig(**pick([DeviceConfig], given)).device)
    asked = pick([BuildConfig], given)
    build = asked if is_pack(data) else {"size": SIZE, **asked}
    with progress_bar("reading images") as track:
        folder = cache or cache_folder() or out / "cache"
        pack, report = open_pack(data, BuildConfig(**build), build, folder, track)
    if report:
        report.show()
    again = ["ganface", "lecture", str(data), "--out", str(out), "--minutes", f"{minutes:g}"]
    again += [*as_flags(given), "--resume", *(["--cache", str(cache)] if cache else [])]
    page = lecture(out, data, pack, minutes, device, resume, shlex.join(again))
    show_result({"page": str(page)}, as_json, str(page))
