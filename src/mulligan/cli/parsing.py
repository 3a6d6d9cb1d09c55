"""Options from words: tyro reads them, parts can be swapped by name, and every mistake is one line."""

import contextlib
import dataclasses
import difflib
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from mulligan.errors import ArgumentError

Options = TypeVar("Options")

PLAIN_REASONS = {"invalid literal for int": "a whole number is needed", "could not convert string to float": "a number is needed"}


def suggestion(word: str, known: Iterable[str], otherwise: str) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f"did you mean {close[0]}?" if close else otherwise


def parse(
    options: type[Options], words: Sequence[str], command: str, default: Options | None = None, epilogue: str = ""
) -> Options:
    """The words as a value of the dataclass `options`; ArgumentError in one line for what does not fit."""
    import tyro

    printed = io.StringIO()
    config = (tyro.conf.AvoidSubcommands, tyro.conf.FlagCreatePairsOff)
    extra: dict[str, Any] = {} if default is None else {"default": default}
    wants_help = any(word in ("-h", "--help") for word in words)
    try:
        with contextlib.nullcontext() if wants_help else contextlib.redirect_stderr(printed):
            extra |= {"prog": f"mulligan {command}", "config": config, "return_unknown_args": True}
            parsed, unknown = tyro.cli(options, args=list(words), **extra)
    except SystemExit as exit_:
        if exit_.code:
            raise ArgumentError(one_line(printed.getvalue(), words, command)) from None
        print(epilogue, end="")
        raise
    if unknown:
        known = flags(options, default)
        hint = suggestion(unknown[0].split("=")[0], known, f"`mulligan {command} --help` lists what there is")
        raise ArgumentError(f"mulligan {command} has no {unknown[0]}; {hint}")
    return parsed


def one_line(box: str, words: Sequence[str], command: str) -> str:
    """tyro's framed message as one sentence with the offending words."""
    text = " ".join(re.sub(r"[│╭╮╰╯─]|-{8,}", " ", box).split())
    look = f"`mulligan {command} --help` shows what it takes"
    if failed := re.search(r"Error parsing (\S+): (.*?)(?: Argument helptext| For full|$)", text):
        flag, reason = failed.groups()
        for start, plain in PLAIN_REASONS.items():
            reason = plain if reason.startswith(start) else reason
        return f"{flag}={value_after(flag, words)} is not possible: {reason}; {look}"
    if choice := re.search(r"invalid choice '(.*)' for argument '(\S+)'. Expected one of \((.*?)\)", text):
        value, flag, choices = choice.groups()
        return f"{flag}={value} is not possible; choose one of {choices.replace(chr(39), '')}"
    if missing := re.search(r"Missing value for argument '(\S+)'", text):
        return f"{missing.group(1)} needs a value; {look}"
    return f"{text.split(' For full')[0].rstrip('.')}; {look}"


def value_after(flag: str, words: Sequence[str]) -> str:
    for index, word in enumerate(words):
        if word.startswith(flag + "="):
            return word[len(flag) + 1 :]
        if word == flag and index + 1 < len(words):
            return words[index + 1]
    return "(nothing)"


def flags(options: type, default: Any) -> list[str]:
    """Every flag there is, for suggestions."""
    value = default if default is not None else options
    found = []
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name, None)
        name = field.name.replace("_", "-")
        if field.name == "recipe" and dataclasses.is_dataclass(inner):
            found += nested_flags(inner, "")
        else:
            found.append(f"--{name}")
    return found


def nested_flags(part: Any, prefix: str) -> list[str]:
    found = []
    for field in dataclasses.fields(part):
        name = prefix + field.name.replace("_", "-")
        inner = getattr(part, field.name)
        found.append(f"--{name}")
        if dataclasses.is_dataclass(inner):
            found += nested_flags(inner, f"{name}.")
    return found
