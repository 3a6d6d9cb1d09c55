"""Recipes: checked when made, JSON both ways, and the table tells the truth."""

import dataclasses
import json
from typing import Any

import pytest
import torch

from mulligan.build import build_game
from mulligan.data import Folder, StackedMnist, source_from
from mulligan.errors import RecipeError
from mulligan.game import Moment
from mulligan.penalties import R1, R2
from mulligan.recipe import Adam, Recipe
from mulligan.recipes import DEFAULT, RECIPES, named
from mulligan.step import train_step
from mulligan.views import Pixels


@pytest.mark.parametrize("name", RECIPES)
def test_a_named_recipe_survives_json(name: str) -> None:
    recipe = named(name)
    assert Recipe.from_json(json.loads(recipe.save_text())) == recipe


@pytest.mark.parametrize("name", RECIPES)
def test_the_table_agrees_with_the_recipe(name: str) -> None:
    recipe, about = named(name), RECIPES[name]
    assert recipe.name == name
    if about.data == "a folder":
        assert isinstance(recipe.data, Folder)
        assert about.size.startswith(f"{recipe.image_size}x")
        return
    assert recipe.data == source_from(about.data)
    channels, side = 3 if isinstance(recipe.data, StackedMnist) else 1, recipe.image_size or 28
    shape = (channels, side, side)
    assert about.size == (f"{shape[1]}x{shape[2]}x{shape[0]}" if isinstance(recipe.view, Pixels) else "2")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_takes_a_step(name: str) -> None:
    recipe = named(name).with_(batch=4)
    shape: tuple[int, ...] = (2,)
    if isinstance(recipe.view, Pixels):
        side = 16 if name == "faces-cnn" else recipe.image_size or 28
        shape = (3 if name == "faces-cnn" or isinstance(recipe.data, StackedMnist) else 1, side, side)
    game = build_game(recipe, shape, torch.device("cpu"))
    torch.manual_seed(0)
    batches = iter([torch.rand(4, *shape) for _ in range(recipe.discriminator_updates)])
    terms = train_step(game, batches, Moment(0, 0, 0.0, 0)).terms
    assert all(torch.isfinite(value) for value in terms.values())
    expected = {"discriminator.adversarial", "generator.adversarial", "told_apart"}
    assert set(terms) == expected | {f"discriminator.{penalty.name}" for penalty in recipe.discriminator_penalties}


def test_the_default_is_the_digits() -> None:
    assert DEFAULT == "mnist"
    assert next(iter(RECIPES)) == DEFAULT


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 0}, "batch=0 is too small or no whole number; use 1 or more"),
        ({"images": -1}, "images=-1 is too small or no whole number; use 1 or more"),
        ({"seed": -1}, "seed=-1 is too small or no whole number; use 0 or more"),
        ({"image_size": 0}, "image_size=0 is not possible; use 1 to 4,096, or none"),
        ({"threads": 0}, "threads=0 is not possible; use 1 to 4,096, or none"),
        ({"sample_every_images": 0}, "sample_every_images=0 is too small or no whole number; use 1 or more"),
        (
            {"discriminator_penalties": (R1(1.0), R2(1.0), R1(9.0))},
            "discriminator_penalties has r1 twice, and terms go by name; give one of each",
        ),
        ({"generator_optimizer": Adam(0.0)}, "generator_optimizer.rate=0.0 is not positive; use a number such as 2e-4"),
        (
            {"discriminator_optimizer": Adam(float("nan"))},
            "discriminator_optimizer.rate=nan is not positive; use a number such as 2e-4",
        ),
    ],
)
def test_impossible_choices_are_refused_when_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        named("mnist").with_(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize("data", [None, [], {"name": "x"}, {"type": "recipe", "nonsense": 1}, 7])
def test_json_that_is_no_recipe_is_refused(data: Any) -> None:
    with pytest.raises(RecipeError):
        Recipe.from_json(data)


def test_a_field_that_no_recipe_has_is_named_beside_those_it_has() -> None:
    with pytest.raises(RecipeError) as caught:
        named("mnist").with_(batchsize=4)
    names = ", ".join(sorted(field.name for field in dataclasses.fields(Recipe)))
    assert str(caught.value) == f"a recipe has no field batchsize; it has {names}"


def test_with_changes_a_copy_only() -> None:
    before = named("mnist")
    assert before.with_(batch=7).batch == 7
    assert before.with_(batch=7).with_(batch=before.batch) == before
    assert named("mnist").batch == before.batch == 32


def test_a_recipe_cannot_be_changed_behind_its_checks() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        named("mnist").batch = 0  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": {"type": "os:system"}}, "recipe.loss=os:system is not one of minimax, "),
        ({"nonsense": 1}, "recipe has no field nonsense; recipe has name, data, "),
        ({"batch": "32"}, "recipe.batch='32' is not possible; give a whole number"),
        ({"batch": 0}, "batch=0 is too small or no whole number; use 1 or more"),
        ({"precision": "float64"}, "recipe.precision='float64' is not possible; choose one of float32, bfloat16"),
        ({"discriminator_penalties": {}}, "recipe.discriminator_penalties={} is not possible; give a list"),
        (
            {"discriminator_penalties": [{"type": "r9"}]},
            "recipe.discriminator_penalties.0=r9 is not one of r1, r2, gradient-penalty; ",
        ),
        ({"generator_optimizer": {"rate": "fast"}}, "recipe.generator_optimizer.rate='fast' is not possible; give a number, "),
    ],
)
def test_json_with_a_mistake_says_where_it_is(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_json(named("mnist").to_json() | change)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("missing", ["data", "batch", "picture", "name"])
def test_json_without_a_needed_field_is_refused_with_its_name(missing: str) -> None:
    facts = named("mnist").to_json()
    del facts[missing]
    with pytest.raises(RecipeError, match=rf"^recipe is not a whole recipe: .*'{missing}'$"):
        Recipe.from_json(facts)


def test_json_without_a_field_that_has_a_default_takes_the_default() -> None:
    facts = named("mnist").to_json()
    del facts["seed"]
    assert Recipe.from_json(facts) == named("mnist")


def test_a_name_nearly_right_is_put_right() -> None:
    with pytest.raises(RecipeError) as caught:
        named("mnits")
    assert str(caught.value) == "recipe=mnits is not known; did you mean mnist?"


def test_a_name_like_no_other_points_to_the_list() -> None:
    with pytest.raises(RecipeError) as caught:
        named("os")
    assert str(caught.value) == "recipe=os is not known; `mulligan recipes` lists them"


def test_a_step_sees_a_batch_for_each_discriminator_update() -> None:
    assert named("mnist").with_(batch=10, discriminator_updates=3).step_images == 30
