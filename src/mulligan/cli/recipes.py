"""`mulligan recipes`."""

from collections.abc import Sequence
from dataclasses import dataclass

from mulligan.cli.parsing import parse
from mulligan.recipes import DEFAULT, RECIPES


@dataclass
class NoOptions:
    """List what can be trained."""


def run(words: Sequence[str]) -> None:
    if words:
        parse(NoOptions, words, "recipes")
    width = max(map(len, RECIPES)) + 2
    lines = [max(len(about.line) for about in RECIPES.values()) + 2, 15, 10]
    print(f"{'recipe':<{width}}{'what':<{lines[0]}}{'data':<{lines[1]}}{'size':<{lines[2]}}time on 2 CPU cores")
    for name, about in RECIPES.items():
        mark = " (default)" if name == DEFAULT else ""
        print(f"{name:<{width}}{about.line:<{lines[0]}}{about.data:<{lines[1]}}{about.size:<{lines[2]}}{about.time}{mark}")
