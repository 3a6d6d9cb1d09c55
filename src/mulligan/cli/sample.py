"""`mulligan sample`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from mulligan.api import Run
from mulligan.cli.parsing import parse
from mulligan.errors import ArgumentError
from mulligan.export import write_samples


@dataclass(frozen=True)
class SampleOptions:
    """Make images with a trained generator. The same seed gives the same images, however many are asked for."""

    run: tyro.conf.Positional[Path]  # the run folder
    n: int = 64  # how many
    seed: int = 0  # which ones
    out: str | None = None  # a .png (one grid), a folder or path ending in / (a PNG each) or an .npz; default: in the run folder
    truncation: float = 1.0  # below 1: latents pulled to their centre; less variety, fewer odd ones
    raw: bool = False  # the newest weights instead of their average
    best: bool = False  # the checkpoint with the best score instead of the newest, where the recipe names a score


def run(words: Sequence[str]) -> None:
    options = parse(SampleOptions, words, "sample")
    if options.n < 1:
        raise ArgumentError(f"--n={options.n} is too small; ask for 1 or more")
    if options.seed < 0:
        raise ArgumentError(f"--seed={options.seed} is negative; use 0 or more")
    run_ = Run(options.run)
    out = options.out or str(options.run / f"sample-seed{options.seed}.png")
    samples = run_.sample(options.n, options.seed, truncation=options.truncation, raw=options.raw, best=options.best)
    print(f"wrote {options.n} samples to {write_samples(samples, out)}")
