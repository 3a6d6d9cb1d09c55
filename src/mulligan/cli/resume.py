"""`mulligan resume`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from mulligan import api
from mulligan.cli.parsing import parse
from mulligan.cli.progress import Progress, closing_line
from mulligan.errors import ArgumentError
from mulligan.machine import MOST_THREADS
from mulligan.rundir import RECIPE


@dataclass(frozen=True)
class ResumeOptions:
    """Go on with a stopped run to the same end."""

    run: tyro.conf.Positional[Path | None] = None  # the run folder; default: the newest in runs/
    device: str | None = None  # default: the one it ran on
    threads: int | None = None  # default: as many as it ran on; with another number the last digits may differ
    max_hours: float | None = None  # then the run is saved and stops, to be resumed


def run(words: Sequence[str]) -> None:
    options = parse(ResumeOptions, words, "resume")
    if options.threads is not None and not 1 <= options.threads <= MOST_THREADS:
        raise ArgumentError(f"--threads={options.threads} is not possible; give 1 to {MOST_THREADS}")
    run_ = api.Run(options.run or newest_run(api.RUNS))
    with Progress(run_.recipe) as progress:
        finished = api.resume(
            run_.path, device=options.device, threads=options.threads, max_hours=options.max_hours, listener=progress
        )
    print(closing_line(finished.path))


def newest_run(parent: Path) -> Path:
    """The run that was started last."""
    found = sorted(parent.glob(f"*/{RECIPE}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ArgumentError(f"there is no run in {parent}/ to go on with; name its folder: `mulligan resume RUN`")
    print(f"the newest run is {found[-1].parent}")
    return found[-1].parent
