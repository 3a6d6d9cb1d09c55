"""What holds for any text and any JSON: a recipe or a value, or an error of ours."""

import copy
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mulligan import codec
from mulligan.data import Source
from mulligan.errors import RecipeError
from mulligan.latents import LatentsSpec
from mulligan.losses import Loss
from mulligan.networks import Constraint, Discriminator, Generator
from mulligan.penalties import Penalty
from mulligan.pictures import Picture
from mulligan.recipe import Recipe
from mulligan.recipes import RECIPES, named
from mulligan.schedules import Schedule
from mulligan.views import View

UNIONS: list[Any] = [Loss, Penalty, Constraint, Generator, Discriminator, LatentsSpec, Picture, View, Schedule, Source]
PLAIN = st.none() | st.booleans() | st.integers() | st.integers(-2, 2) | st.floats() | st.text(max_size=9)
NAMES = sorted({name for union in UNIONS for name in codec.part_types(union)})
KEYS = st.sampled_from(["type", "name", "start", "end", "gamma", "every", "hidden", "path"]) | st.text(max_size=5)
JSON = st.recursive(
    PLAIN | st.sampled_from(NAMES) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=9,
)


def is_recipe_or_refused(data: Any) -> None:
    try:
        recipe = Recipe.from_json(data)
    except RecipeError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert json.loads(json.dumps(recipe.to_json())) == recipe.to_json() or "NaN" in recipe.save_text()


def paths(data: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in JSON, however deep."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [before, *(path for key, value in inner for path in paths(value, (*before, key)))]


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at the path."""
    if not path:
        return value
    changed = copy.copy(data)
    changed[path[0]] = replaced(data[path[0]], path[1:], value)
    return changed


@pytest.mark.parametrize("name", RECIPES)
def test_a_named_recipe_is_what_its_json_says(name: str) -> None:
    assert Recipe.from_json(named(name).to_json()) == named(name)


@given(JSON)
@example({"type": []})
@example({"type": {}})
def test_any_json_is_a_recipe_or_refused(data: Any) -> None:
    is_recipe_or_refused(data)


@given(st.data(), st.sampled_from(list(RECIPES)))
@settings(max_examples=400)
def test_a_recipe_with_anything_in_any_place_is_a_recipe_or_refused(data: st.DataObject, name: str) -> None:
    facts = named(name).to_json()
    for _ in range(data.draw(st.integers(1, 2))):
        facts = replaced(facts, data.draw(st.sampled_from(paths(facts)[1:])), data.draw(JSON))
    is_recipe_or_refused(facts)


SCHEDULE = st.fixed_dictionaries(
    {"type": st.sampled_from(["linear", "cosine"]), "start": st.floats(), "end": st.floats()},
    optional={"begins": st.floats(), "ends": st.floats()},
)


@given(SCHEDULE, st.sampled_from(["generator_optimizer", "discriminator_optimizer"]))
@settings(max_examples=200)
@example({"type": "cosine", "start": 1.0, "end": 0.0, "begins": float("-inf"), "ends": float("inf")}, "generator_optimizer")
def test_any_schedule_makes_a_recipe_or_is_refused(schedule: dict[str, Any], player: str) -> None:
    is_recipe_or_refused(replaced(named("mnist").to_json(), (player, "rate"), schedule))


SETTING = st.builds(
    "{}={}".format, KEYS | st.sampled_from(["dropout", "width", "cap", "log-of-sum"]), st.text(max_size=9) | PLAIN.map(str)
)
WORDS = st.one_of(
    st.text(max_size=30),
    st.builds(lambda name, some: f"{name}:{','.join(some)}", st.sampled_from(NAMES), st.lists(SETTING, max_size=3)),
)


@given(st.sampled_from(UNIONS), WORDS)
@settings(max_examples=500)
@example(Schedule, "9" * 5000)
@example(Generator, "mlp-generator:hidden=" + "9" * 400)
@example(Loss, "minimax:type=hinge")
@example(Schedule, "1e999")
def test_any_words_are_a_value_or_refused(union: Any, words: str) -> None:
    try:
        value = codec.from_words(union, words, "--part")
    except RecipeError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert value is None or isinstance(value, (int, float)) or codec.part_name(type(value)) in codec.part_types(union)
