"""`mulligan resume`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from mulligan import api
from mulligan.cli.parsing import parse
from mulligan.cli.progress import Progress


@dataclass(frozen=True)
class ResumeOptions:
    """Go on with a stopped run to the same end."""

    run: tyro.conf.Positional[Path]  # the run folder
    device: str | None = None  # default: the one it ran on


def run(words: Sequence[str]) -> None:
    options = parse(ResumeOptions, words, "resume")
    with Progress(api.Run(options.run).recipe) as progress:
        finished = api.resume(options.run, device=options.device, listener=progress)
    print(f"done: {finished.path}  (report.html shows it; `mulligan sample {finished.path}` makes more)")
