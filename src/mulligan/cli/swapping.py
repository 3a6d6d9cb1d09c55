"""Swapping a recipe's parts by name before tyro reads the rest: `--loss hinge`, `--discriminator-penalties r1:gamma=2 r2`."""

import dataclasses
from typing import Any, get_args, get_origin

from mulligan import codec
from mulligan.data import source_from
from mulligan.errors import ArgumentError
from mulligan.recipe import Recipe


def swap_parts(recipe: Recipe, words: list[str]) -> tuple[Recipe, list[str]]:
    """The recipe with every named part put in, and the words that are left for tyro."""
    left: list[str] = []
    queue = [part for word in words for part in (word.split("=", 1) if swaps(recipe, word.split("=", 1)[0]) else [word])]
    while queue:
        word = queue.pop(0)
        hint = swaps(recipe, word)
        if hint is None:
            left.append(word)
            continue
        several = get_origin(hint) is tuple
        values = []
        while queue and not queue[0].startswith("--") and (several or not values):
            values.append(queue.pop(0))
        recipe = swapped(recipe, word, hint, values)
    return recipe, left


def swaps(recipe: Recipe, word: str) -> Any:
    """The type hint of the part or parts that a flag names, or None when it is not for us."""
    if not word.startswith("--"):
        return None
    part: Any = recipe
    hint: Any = None
    for name in word[2:].replace("-", "_").split("."):
        if not dataclasses.is_dataclass(part) or isinstance(part, type) or name not in codec.field_hints(type(part)):
            return None
        hint, part = codec.field_hints(type(part))[name], getattr(part, name)
    return hint if choosable(hint) else None


def choosable(hint: Any) -> dict[str, type]:
    """The parts, by name, that a field leaves to choose from: a union's, or those that a tuple may hold; empty for others."""
    if get_origin(hint) is tuple:
        return codec.part_types(get_args(hint)[0])
    return codec.part_types(hint) if codec.is_union(hint) else {}


def swapped(recipe: Recipe, flag: str, hint: Any, values: list[str]) -> Recipe:
    names = flag[2:].replace("-", "_").split(".")
    if flag == "--data":
        if not values:
            raise ArgumentError("--data needs a value: a known name, a folder or a file")
        return put(recipe, names, source_from(values[0]))
    if get_origin(hint) is tuple:
        each = get_args(hint)[0]
        return put(recipe, names, tuple(codec.from_words(each, value, flag) for value in values if value != "none"))
    if not values:
        raise ArgumentError(f"{flag} needs a value: {', '.join(codec.part_types(hint))}")
    return put(recipe, names, codec.from_words(hint, values[0], flag))


def put(part: Any, names: list[str], value: Any) -> Any:
    """A copy of a nested dataclass with one field, named by its path, replaced."""
    inner = value if len(names) == 1 else put(getattr(part, names[0]), names[1:], value)
    return dataclasses.replace(part, **{names[0]: inner})


def choices() -> str:
    """What can be swapped, for the end of `mulligan train --help`."""
    lines = [
        "",
        "Parts to choose by name, as in --loss hinge or --discriminator-penalties r1:gamma=2 r2:gamma=2 (none: no penalty):",
    ]
    for name, hint in codec.field_hints(Recipe).items():
        if (options := choosable(hint)) and name != "data":
            lines.append(f"  --{name.replace('_', '-'):<28}{', '.join(options)}")
    lines.append(
        "A learning rate or a gamma is a number or a schedule: linear:start=2e-3,end=0,begins=0.5 or cosine:start=1,end=0.1\n"
    )
    return "\n".join(lines)
