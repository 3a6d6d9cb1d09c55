"""`mulligan compare`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from mulligan.cli.evaluate import title
from mulligan.cli.parsing import parse
from mulligan.compare import Compared, Table, page, tables, why_unranked
from mulligan.errors import ArgumentError
from mulligan.rundir import RunFolder
from mulligan.storage import storage_errors, write_whole


@dataclass(frozen=True)
class CompareOptions:
    """Runs side by side. Scores are ranked only where their passports are the same; measure with `mulligan evaluate`."""

    runs: tyro.conf.Positional[tuple[Path, ...]]  # two run folders or more
    out: Path = Path("compare.html")  # the page with curves and pictures


def run(words: Sequence[str]) -> None:
    options = parse(CompareOptions, words, "compare")
    if len(options.runs) < 2:
        raise ArgumentError(f"mulligan compare needs two runs or more and got {len(options.runs)}; name their folders")
    if len(set(options.runs)) < len(options.runs):
        raise ArgumentError("mulligan compare was given one run twice; name each once")
    runs = [Compared.of(RunFolder.open(path), str(path)) for path in options.runs]
    for line in lines(runs):
        print(line)
    with storage_errors(options.out):
        options.out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(options.out, page(runs).encode())
    print(f"wrote curves and pictures side by side to {options.out}")


def lines(runs: Sequence[Compared]) -> Iterable[str]:
    width = max(len(run.name) for run in runs) + 2
    yield f"{'run':<{width}}{'recipe':<22}{'images':>12}{'seconds':>10}"
    for run in runs:
        yield f"{run.name:<{width}}{run.recipe:<22}{run.last['images']:>12,}{run.last['seconds']:>10,.0f}"
    for table in tables(runs):
        yield ""
        yield from score_lines(table, width)
    yield from why_unranked(runs)


def score_lines(table: Table, width: int) -> Iterable[str]:
    """A row for each run; * marks the best of each score, and what its interval does not tell from it."""
    yield f"{'':<{width}}" + "".join(f"{title(score):>16}" for score in table.scores)
    best = {score: table.best(score) for score in table.scores}
    for name, row in table.rows.items():
        cells = [f"{row[score].value:.4g}{'*' if name in best[score] else ' '}" if score in row else " " for score in table.scores]
        yield f"{name:<{width}}" + "".join(f"{cell:>16}" for cell in cells)
    yield "passport: " + ", ".join(f"{name} {value}" for name, value in table.passport.items())
