"""mulligan: train a GAN with one command, watch it, stop and go on, keep the result.

`mulligan.train`, `mulligan.resume`, `mulligan.load`, `mulligan.Run` and `mulligan.Recipe` are the front door; losses, penalties,
networks and data sources are modules beside it. Nothing heavy is imported until it is asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from mulligan.errors import MulliganError

if TYPE_CHECKING:
    from mulligan.api import Run, load, resume, train
    from mulligan.model import Model
    from mulligan.recipe import Adam, Recipe
    from mulligan.recipes import named

HOMES = {
    "Run": "api",
    "load": "api",
    "resume": "api",
    "train": "api",
    "Model": "model",
    "Adam": "recipe",
    "Recipe": "recipe",
    "named": "recipes",
}

__all__ = ["Adam", "Model", "MulliganError", "Recipe", "Run", "load", "named", "resume", "train"]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'mulligan' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mulligan.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
