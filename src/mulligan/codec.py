"""Values to JSON and back, and from the words of a command line: driven by type hints, so the closed unions are the registry.

A part is written `{"type": "non-saturating", "real_label": 0.9}` in JSON and `non-saturating:real-label=0.9` in words.
Nothing is imported or run because a file names it: a type that is not in the field's union is refused.
"""

import dataclasses
import difflib
import math
import re
import types
import typing
from typing import Any, Literal, get_args, get_origin

from mulligan.errors import RecipeError

ALIASES = {"cross-entropy": "non-saturating"}  # what the faces tutorial calls it


def part_name(part: type) -> str:
    """`NonSaturating` -> `non-saturating`, `R1` -> `r1`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", part.__name__).lower()


def part_types(hint: Any) -> dict[str, type]:
    """The dataclasses that a type hint allows, by name."""
    options = get_args(hint) if is_union(hint) else (hint,)
    return {part_name(option): option for option in options if isinstance(option, type) and dataclasses.is_dataclass(option)}


def is_union(hint: Any) -> bool:
    return get_origin(hint) in (typing.Union, types.UnionType)


def field_hints(part: type) -> dict[str, Any]:
    """The type hints of a dataclass's fields, in order."""
    hints = typing.get_type_hints(part)
    return {field.name: hints[field.name] for field in dataclasses.fields(part)}


def encode(value: Any) -> Any:
    """Dataclasses, tuples and plain values -> what `json.dumps` takes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": part_name(type(value)), **fields}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return {"type": part_name(type(value))}  # a plain object of the user's: named, and never rebuilt from its name


def decode(hint: Any, data: Any, where: str) -> Any:
    """What `json.loads` gave -> a value of the hinted type; RecipeError says where it does not fit."""
    if is_union(hint):
        return decode_union(hint, data, where)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return decode_part(hint, data, where)
    origin = get_origin(hint)
    if origin is Literal:
        if data in get_args(hint):
            return data
        raise RecipeError(f"{where}={data!r} is not possible; choose one of {', '.join(map(str, get_args(hint)))}")
    if origin is tuple:
        return decode_tuple(hint, data, where)
    return decode_plain(hint, data, where)


def decode_union(hint: Any, data: Any, where: str) -> Any:
    options = get_args(hint)
    if data is None and type(None) in options:
        return None
    if isinstance(data, dict):
        return decode_part(find_part(hint, str(data.get("type")), where), data, where)
    for option in options:
        if option in (bool, int, float, str) and fits(option, data):
            return decode_plain(option, data, where)
    raise RecipeError(f"{where}={data!r} is not possible; give {describe(hint)}")


def decode_part(part: type, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise RecipeError(f"{where}={data!r} is not possible; give {part_name(part)} with its fields")
    name = str(data.get("type", part_name(part)))
    if ALIASES.get(name, name) != part_name(part):
        raise RecipeError(f"{where}={name} is not possible; give {part_name(part)}")
    hints = field_hints(part)
    given = {name: value for name, value in data.items() if name != "type"}
    for name in given.keys() - hints.keys():
        raise RecipeError(f"{where} has no field {name}; {part_name(part)} has {', '.join(hints) or 'no fields'}")
    try:
        return part(**{name: decode(hints[name], value, f"{where}.{name}") for name, value in given.items()})
    except TypeError as error:
        raise RecipeError(f"{where} is not a whole {part_name(part)}: {error}") from error


def decode_tuple(hint: Any, data: Any, where: str) -> tuple[Any, ...]:
    items = get_args(hint)
    if not isinstance(data, list) or (items[-1] is not ... and len(data) != len(items)):
        raise RecipeError(f"{where}={data!r} is not possible; give a list" + ("" if items[-1] is ... else f" of {len(items)}"))
    each = [items[0]] * len(data) if items[-1] is ... else items
    return tuple(decode(item, value, f"{where}.{index}") for index, (item, value) in enumerate(zip(each, data, strict=True)))


def decode_plain(hint: Any, data: Any, where: str) -> Any:
    if hint in (bool, int, float, str) and fits(hint, data):
        try:
            value = float(data) if hint is float else data
        except OverflowError:  # a whole number beyond every float
            value = math.inf
        if not isinstance(value, float) or math.isfinite(value):
            return value
    raise RecipeError(f"{where}={data!r} is not possible; give {describe(hint)}")


def fits(plain: type, data: Any) -> bool:
    """JSON knows one kind of number; a boolean is none."""
    if plain is float:
        return isinstance(data, (int, float)) and not isinstance(data, bool)
    return type(data) is plain


def describe(hint: Any) -> str:
    """The choices a type hint leaves, in words."""
    if is_union(hint):
        return ", ".join("none" if option is type(None) else describe(option) for option in get_args(hint))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return part_name(hint)
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}.get(hint, str(hint))


def find_part(hint: Any, name: str, where: str) -> type:
    """The dataclass of a union by name, with a suggestion when there is none."""
    options = part_types(hint)
    name = ALIASES.get(name, name)
    if name in options:
        return options[name]
    close = difflib.get_close_matches(name, options, 1)
    meant = f"did you mean {close[0]}?" if close else "a class of your own is used from Python"
    raise RecipeError(f"{where}={name} is not one of {', '.join(options)}; {meant}")


def from_words(hint: Any, words: str, where: str) -> Any:
    """`r1:gamma=2,every=4`, `none` or a plain value -> a value of the hinted union; `256/512` where a list is wanted."""
    if words.lower() == "none" and type(None) in get_args(hint):
        return None
    name, _, settings = words.partition(":")
    if float in get_args(hint) and name not in part_types(hint):
        return decode(hint, plain_from_words(words), where)
    part = find_part(hint, name, where)
    hints, data = field_hints(part), {}
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        if not equals:
            raise RecipeError(f"{where}={words} is not understood at {setting!r}; write {name}:field=value,field=value")
        field = key.replace("-", "_")
        several = get_origin(hints.get(field)) is tuple
        data[field] = [plain_from_words(word) for word in value.split("/")] if several else plain_from_words(value)
    return decode_part(part, data, where)


def plain_from_words(words: str) -> Any:
    """A number, true, false, or the text itself."""
    for plain in (int, float):
        try:
            return plain(words)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(words.lower(), words)
