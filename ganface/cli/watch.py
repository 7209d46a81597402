"""`ganface watch`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from ganface.cli.shared import AsJson
from ganface.errors import UserError
from ganface.io.console import say, show_result

PAUSE = 0.5  # seconds between looks whether the training is over


def watch(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    as_json: AsJson = False,
) -> None:
    """Show a training as a page, kept up to date while it goes on."""
    from ganface.io.run import Run
    from ganface.training.page import RunPage, write_page

    watched = Run(run)
    if not (watched.holds_training() or watched.stats.is_file()):
        raise UserError(f"{run}: not a run directory")
    if watched.is_running():
        page = RunPage(watched)
        say(f"{watched.page}: kept up to date while the training goes on; Ctrl-C ends that")
        while watched.is_running():
            time.sleep(PAUSE)
            page.tick()
    write_page(watched, running=False)
    show_result({"page": str(watched.page)}, as_json, str(watched.page))
