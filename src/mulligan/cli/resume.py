"""`mulligan resume`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from mulligan import api
from mulligan.cli.parsing import parse
from mulligan.cli.progress import Progress, closing_line
from mulligan.errors import ArgumentError
from mulligan.rundir import RECIPE


@dataclass(frozen=True)
class ResumeOptions:
    """Go on with a stopped run to the same end."""

    run: tyro.conf.Positional[Path | None] = None  # the run folder; default: the newest in runs/
    device: str | None = None  # default: the one it ran on


def run(words: Sequence[str]) -> None:
    options = parse(ResumeOptions, words, "resume")
    run_ = api.Run(options.run or newest_run(api.RUNS))
    with Progress(run_.recipe) as progress:
        finished = api.resume(run_.path, device=options.device, listener=progress)
    print(closing_line(finished.path))


def newest_run(parent: Path) -> Path:
    """The run that was started last."""
    found = sorted(parent.glob(f"*/{RECIPE}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ArgumentError(f"there is no run in {parent}/ to go on with; name its folder: `mulligan resume RUN`")
    print(f"the newest run is {found[-1].parent}")
    return found[-1].parent
