"""`mulligan train`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mulligan import api
from mulligan.cli.parsing import parse
from mulligan.cli.progress import Progress, closing_line
from mulligan.cli.swapping import choices, swap_parts
from mulligan.recipe import Recipe
from mulligan.recipes import DEFAULT, named


@dataclass(frozen=True)
class TrainOptions:
    """Train a recipe with any of its fields changed, into a new run folder."""

    recipe: Annotated[Recipe, tyro.conf.arg(name="")]
    run: Path | None = None  # a new folder; default: the next free runs/RECIPE-0001
    device: str = "auto"  # cpu, cuda, mps or auto
    max_hours: float | None = None  # then the run is saved and stops, to be resumed


def run(words: Sequence[str]) -> None:
    name, rest = (words[0], words[1:]) if words and not words[0].startswith("-") else (DEFAULT, words)
    recipe, left = swap_parts(named(name), list(rest))
    options = parse(TrainOptions, left, "train", TrainOptions(recipe), choices())
    with Progress(options.recipe) as progress:
        finished = api.train(options.recipe, run=options.run, device=options.device, max_hours=options.max_hours, listener=progress)
    print(closing_line(finished.path))
