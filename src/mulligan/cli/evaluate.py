"""`mulligan evaluate`."""

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from mulligan import codec
from mulligan.api import Run
from mulligan.cli.parsing import parse
from mulligan.errors import ArgumentError, FeaturesError
from mulligan.evaluate import METRICS, Evaluation
from mulligan.features import Features

SECONDS = 5.0  # between lines of progress


@dataclass(frozen=True)
class EvaluateOptions:
    """Measure a run: scores with their passport, beside what real samples get against other real samples."""

    run: tyro.conf.Positional[Path]  # the run folder
    metrics: tuple[str, ...] = ()  # fd fd-infinity kid pr dc swd is memory modes; default: what fits the data
    n: int = 10_000  # fakes, and at most as many real samples
    features: str | None = None  # inception, classifier, pixels, identity or a TorchScript file; settings as inception:resize=clean
    reference: str | None = None  # test (the default where there is one), train, or other data
    seed: int = 0  # of the fakes
    truncation: float = 1.0  # below 1: latents pulled to their centre
    raw: bool = False  # the newest weights instead of their average
    best: bool = False  # the checkpoint with the best score instead of the newest
    device: str = "auto"


def run(words: Sequence[str]) -> None:
    options = parse(EvaluateOptions, words, "evaluate")
    if options.raw and options.best:
        raise ArgumentError("--raw and --best cannot both be meant; choose one")
    for name in options.metrics:
        if name not in METRICS:
            raise ArgumentError(f"--metrics={name} is none of {', '.join(METRICS)}")
    found = Run(options.run).evaluate(
        options.n,
        metrics=options.metrics,
        features=features_from(options.features),
        reference=options.reference,
        seed=options.seed,
        truncation=options.truncation,
        weights="raw" if options.raw else "best" if options.best else "averaged",
        device=options.device,
        told=Told(),
    )
    for line in table(found):
        print(line)


def features_from(words: str | None) -> Any:
    """`inception`, `inception:weights=PATH,resize=clean`, `script:path=PATH`, or the path of a TorchScript file."""
    if words is None:
        return None
    if words.partition(":")[0] not in codec.part_types(Features) and Path(words).exists():
        words = f"script:path={words}"
    try:
        return codec.from_words(Features, words, "--features")
    except codec.RecipeError as error:
        raise FeaturesError(f"{error}; a TorchScript file is named by its path") from error


class Told:
    """Says on standard error how far a slow network is, now and then."""

    def __init__(self) -> None:
        self.started = self.last = time.monotonic()
        self.done = self.total = self.start = 0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self.total != total or done < self.done:  # another set of samples
            self.started, self.start = now, done
        self.done, self.total = done, total
        if now - self.last > SECONDS and done > self.start:
            self.last = now
            left = (now - self.started) / (done - self.start) * (total - done)
            print(f"features of {done:,} of {total:,} samples, {left:.0f} s left", file=sys.stderr, flush=True)


def table(found: Evaluation) -> Iterable[str]:
    """The scores beside their floor, the passport, and what to be careful of."""
    width = max(map(len, found), default=0) + 2
    yield f"{'score':<{width}}{'value':>10}   {'95 % interval':<23}{'real against real':>18}  better"
    for name, score in found.items():
        floor = "" if score.floor is None else f"{score.floor:.4g}"
        between = f"{score.low:.4g} to {score.high:.4g}"
        yield f"{title(name):<{width}}{score.value:>10.4g}   {between:<23}{floor:>18}  {score.better}"
    yield "passport: " + ", ".join(f"{name} {value}" for name, value in found.passport.items())
    yield from (f"note: {doubt}" for doubt in found.warnings)


def title(name: str) -> str:
    return {"fid": "FID", "fid_infinity": "FID-infinity", "kid": "KID", "fd": "FD", "fd_infinity": "FD-infinity"}.get(name, name)
