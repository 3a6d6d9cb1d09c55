"""`mulligan data check`: what a source holds, what is wrong with it, and what a training will do with it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import tyro

from mulligan.cli.parsing import parse, suggestion
from mulligan.data import source_from
from mulligan.data.bounds import printable
from mulligan.data.report import counted, describe, duplicates
from mulligan.errors import ArgumentError
from mulligan.rundir import write_whole

SHOWN_FILES, SHOWN_GROUPS, SHOWN_NAMES, SHOWN_COUNTS = 20, 5, 4, 12
USAGE = "write `mulligan data check SOURCE`"


@dataclass(frozen=True)
class CheckOptions:
    """Look at data before training on it. Nothing is changed."""

    source: tyro.conf.Positional[str | None] = None  # a known name, a folder, a zip file, an array file or an IDX file
    image_size: int | None = None  # as for train; default: 64 for image files, otherwise as stored
    out: Path | None = None  # a JSON file for all that was found


def run(words: Sequence[str]) -> None:
    if not words:
        raise ArgumentError(f"mulligan data needs to know what to do; {USAGE}")
    if words[0] not in ("check", "-h", "--help"):
        raise ArgumentError(f"mulligan data has no {words[0]}; {suggestion(words[0], ['check'], USAGE)}")
    options = parse(CheckOptions, words[words[0] == "check" :], "data check")
    if options.source is None:
        raise ArgumentError(f"mulligan data check needs to know what to look at; {USAGE}")
    if options.image_size is not None and options.image_size < 1:
        raise ArgumentError(f"--image-size={options.image_size} is too small; use 1 or more")
    data = source_from(options.source).load(options.image_size)
    report = describe(data) | duplicates(data)
    for name, finding in lines(report):
        print(f"{name:<16}{finding}")
    if options.out:
        write_whole(options.out, json.dumps(report, indent=2).encode())
        print(f"wrote all of it to {printable(str(options.out))}")


def lines(report: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """What is printed: a heading and a finding each; no heading where the one above goes on."""
    images = report["dtype"] == "uint8"
    kind = "images" if images else "points"
    yield "samples", f"{report['count']:,} {kind} of {'x'.join(map(str, report['shape']))}, {report['dtype']}"
    for name in ("sizes", "modes", "labels"):
        if report[name]:
            yield name, counts(report[name])
    yield "same", found(report["exact_duplicates"], "to the last bit")
    yield from groups(report["exact_duplicates"], "=")
    if images:
        yield "nearly the same", found(report["near_duplicates"], "but for small differences")
        yield from groups(report["near_duplicates"], "~")
    yield "skipped", counted(len(report["skipped"]), "file") + " unreadable" if report["skipped"] else "nothing"
    yield from (("", line) for line in report["skipped"][:SHOWN_FILES])
    if (more := len(report["skipped"]) - SHOWN_FILES) > 0:
        yield "", f"and {more:,} more"
    for number, sentence in enumerate(report["will_do"]):
        yield "" if number else "will do", sentence


def counts(table: dict[str, int]) -> str:
    shown = ", ".join(f"{printable(name)}: {count:,}" for name, count in islice(table.items(), SHOWN_COUNTS))
    return shown + (f", and {len(table) - SHOWN_COUNTS:,} more" if len(table) > SHOWN_COUNTS else "")


def found(duplicates: list[list[str | int]], how: str) -> str:
    if not duplicates:
        return "none"
    samples = sum(map(len, duplicates))
    return f"{samples:,} samples alike {how}, in {len(duplicates):,} group{'s' if len(duplicates) > 1 else ''}"


def groups(duplicates: list[list[str | int]], sign: str) -> Iterable[tuple[str, str]]:
    """A line for each of the first groups, with the names of a few files or the positions of a few samples."""
    for group in duplicates[:SHOWN_GROUPS]:
        more = f", and {len(group) - SHOWN_NAMES:,} more" if len(group) > SHOWN_NAMES else ""
        yield "", f" {sign} ".join(str(name) for name in group[:SHOWN_NAMES]) + more
    if (more := len(duplicates) - SHOWN_GROUPS) > 0:
        yield "", f"and {more:,} more group{'s' if more > 1 else ''}"
