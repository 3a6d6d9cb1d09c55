"""`mulligan data check`: the data doctor."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from mulligan.cli.parsing import parse, suggestion
from mulligan.data import source_from
from mulligan.data.examine import examine
from mulligan.errors import ArgumentError
from mulligan.storage import write_whole

SHOWN = 20  # lines of a list on the screen; --out has them all
BAR = 30  # characters of the longest bar


@dataclass(frozen=True)
class CheckOptions:
    """Look through a data set before training on it."""

    source: tyro.conf.Positional[str]  # what --data takes: a known name, a folder, a .zip, an .npy or .npz, an IDX file
    image_size: int | None = None  # the side images would be brought to; default: as stored, files 64
    out: Path | None = None  # the whole report as JSON


def run(words: Sequence[str]) -> None:
    if words and words[0] in ("-h", "--help"):
        words = ["check", *words]
    if not words or words[0] != "check":
        found = words[0] if words else "nothing"
        raise ArgumentError(f"mulligan data {found} is no command; {suggestion(found, ['check'], '`mulligan data check SOURCE`')}")
    options = parse(CheckOptions, words[1:], "data check")
    if options.image_size is not None and options.image_size < 1:
        raise ArgumentError(f"--image-size={options.image_size} is too small; use 1 or more")
    report = examine(source_from(options.source).load(options.image_size))
    for line in lines(options.source, report):
        print(line)
    if options.out:
        write_whole(options.out, json.dumps(report, indent=2).encode())
        print(f"wrote {options.out}")


def lines(source: str, report: Mapping[str, Any]) -> list[str]:
    """The report for people."""
    shape, compared = "x".join(map(str, report["shape"])), report["compared_for_near_duplicates"]
    shown = [f"{source}: {report['count']:,} samples of {shape}, {len(report['skipped']):,} unreadable"]
    for title in ("sizes", "modes", "labels"):
        if report[title]:
            shown += ["", f"{title} ({len(report[title]):,})", *bars(report[title])]
    shown += ["", f"exactly the same: {len(report['exact_duplicates']):,} groups", *groups(report["exact_duplicates"])]
    if compared:
        among = f", among the first {compared:,}" if compared < report["count"] else ""
        shown += ["", f"nearly the same: {len(report['near_duplicates']):,} groups{among}", *groups(report["near_duplicates"])]
    if report["skipped"]:
        shown += ["", f"unreadable: {len(report['skipped']):,}", *cut([f"  {line}" for line in report["skipped"]])]
    return [*shown, "", "what will be done", *(f"  {sentence}" for sentence in report["will_do"])]


def groups(found: Sequence[Sequence[str]]) -> list[str]:
    return cut(["  " + ", ".join(group[:6]) + (f" and {len(group) - 6:,} more" if len(group) > 6 else "") for group in found])


def bars(counts: Mapping[str, int]) -> list[str]:
    most, width = max(counts.values()), max(map(len, counts))
    return cut([f"  {name:<{width}}  {count:>9,}  {'#' * round(BAR * count / most)}" for name, count in counts.items()])


def cut(found: list[str]) -> list[str]:
    return found[:SHOWN] + ([f"  and {len(found) - SHOWN:,} more"] if len(found) > SHOWN else [])
