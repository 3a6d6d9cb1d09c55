"""The named recipes. This table needs no PyTorch, so that `mulligan recipes` answers at once; each recipe is a module beside it."""

import difflib
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mulligan.errors import RecipeError

if TYPE_CHECKING:
    from mulligan.recipe import Recipe


@dataclass(frozen=True)
class About:
    line: str
    data: str
    size: str
    time: str  # roughly, on a machine of 2 CPU cores


DEFAULT = "mnist"

RECIPES: dict[str, About] = {
    "mnist": About("handwritten digits, our own tuned pair: start here", "mnist", "28x28x1", "5 min"),
    "fashion": About("the same pair on pictures of clothes", "fashion-mnist", "28x28x1", "5 min"),
    "mnist-fine": About("the default with patience: finer digits", "mnist", "28x28x1", "25 min"),
    "fashion-fine": About("the same on pictures of clothes", "fashion-mnist", "28x28x1", "25 min"),
    "ring": About("eight Gaussians on a circle, every mode", "ring", "2", "1 min"),
    "grid": About("twenty-five Gaussians on a grid, every mode", "grid", "2", "1 min"),
    "ring-plain": About("the ring from plain normal latents", "ring", "2", "1 min"),
    "grid-plain": About("the grid from plain normal latents", "grid", "2", "1 min"),
    "stacked-mnist-quarter": About(
        "a thousand modes, a discriminator a quarter of the generator", "stacked-mnist", "28x28x3", "1 h"
    ),
    "stacked-mnist-half": About("the same with a discriminator half the generator's width", "stacked-mnist", "28x28x3", "1 h"),
    "gaussian": About("classic: a linear generator learns one Gaussian (Gluon notebook)", "gaussian", "2", "10 s"),
    "gaussian-steady": About("the same linear generator, made to reach the Gaussian", "gaussian", "2", "10 s"),
    "mnist-mlp": About("classic: fully connected, least squares (PaddlePaddle tutorial)", "mnist", "32x32x1", "4 min"),
    "mnist-dense": About("classic: small, fully connected, label smoothing (faces tutorial)", "mnist", "28x28x1", "1 h"),
    "mnist-dcgan-strided": About("classic: strided DCGAN, two updates each (CNTK tutorial 206B)", "mnist", "28x28x1", "2.5 h"),
    "mnist-dcgan-strided-fast": About("classic: its quick mode, half as long", "mnist", "28x28x1", "75 min"),
    "mnist-dcgan-pooled": About("classic: pooled DCGAN, real above fake (PaddlePaddle Fluid book)", "mnist", "28x28x1", "4 h"),
    "faces-cnn": About("classic: a convolutional pair for your folder of faces (PyTorch tutorial)", "a folder", "96x96x3", "a day"),
}


def named(name: str) -> "Recipe":
    """The recipe of this name; RecipeError with a suggestion when there is none."""
    if name not in RECIPES:
        close = difflib.get_close_matches(name, RECIPES, 1)
        meant = f"did you mean {close[0]}?" if close else "`mulligan recipes` lists them"
        raise RecipeError(f"recipe={name} is not known; {meant}")
    return importlib.import_module(f"mulligan.recipes.{name.replace('-', '_')}").RECIPE
