"""The command line. Nothing heavy is imported before it is known what is asked for."""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from mulligan.cli.parsing import suggestion
from mulligan.errors import ArgumentError, MulliganError

# name: what to write after it, one line about it. The module of the same name in this package has `run(arguments) -> None`.
COMMANDS = {
    "recipes": ("", "what can be trained: name, one line, data, size, expected time"),
    "train": (
        "[RECIPE] [--run DIR] [--data SOURCE] [--images N] [--seed N] [--max-hours H] ...",
        "train a recipe (default: mnist), with any of its fields changed",
    ),
    "resume": ("[RUN] [--max-hours H]", "go on with a stopped run (default: the newest) to the same end, bit for bit"),
    "sample": (
        "RUN [--n 64] [--seed 0] [--out PATH] [--truncation PSI] [--raw] [--best]",
        "images from a trained generator: .png, folder or .npz",
    ),
    "evaluate": (
        "RUN [--metrics fd kid pr dc ...] [--n 10000] [--features ...] [--reference train|test|SOURCE]",
        "scores with their passport, beside what real samples get",
    ),
    "compare": ("RUN RUN ... [--out compare.html]", "runs side by side; scores are ranked only where they may be"),
    "data": ("check SOURCE [--image-size N] [--out FILE]", "what is in a data set, what is wrong with it, what will be done"),
    "doctor": ("", "this machine: versions, threads, accelerators, data"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 a run that failed, 2 a user's mistake, 130 or 143 when stopped."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    show_all = "--traceback" in words
    words = [word for word in words if word != "--traceback"]
    try:
        dispatch(words)
    except MulliganError as error:
        if show_all:
            traceback.print_exc()
        print(f"mulligan: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:  # `mulligan recipes | head`: whoever listened has gone, and nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except MemoryError:
        print("mulligan: there is not enough memory; use a smaller --batch, smaller networks or less data", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("mulligan: interrupted", file=sys.stderr)
        return 130
    return 0


def dispatch(words: list[str]) -> None:
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return
    if words[0] == "--version":
        from importlib.metadata import version

        print(f"mulligan {version('mulligan')}")
        return
    if words[0] not in COMMANDS:
        raise ArgumentError(f"{words[0]} is no command; {suggestion(words[0], COMMANDS, '`mulligan --help` lists them')}")
    importlib.import_module(f"mulligan.cli.{words[0]}").run(words[1:])


def overview() -> str:
    """What `mulligan --help` prints."""
    lines = ["Train a GAN with one command: watch it, stop and go on, keep the result.", ""]
    for name, (usage, about) in COMMANDS.items():
        lines += [f"mulligan {name} {usage}".rstrip(), f"    {about}"]
    lines += [
        "",
        "`mulligan COMMAND --help` shows every option; --traceback shows the whole story of an error; --version the version.",
    ]
    return "\n".join(lines)
