"""A judge for a recipe: which real samples, in which features, by which scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from mulligan.codec import part_name
from mulligan.data import Source, source_from
from mulligan.data.splits import load_both, own_test_split
from mulligan.errors import ArgumentError, DataError
from mulligan.evaluate import Judge, default_metrics
from mulligan.features import Features, default_features, open_features
from mulligan.features.extractor import Told, ignore
from mulligan.recipe import Recipe

Weights = Literal["averaged", "raw", "best"]  # the newest average, the newest weights themselves, the best checkpoint's average
LEAST = 20  # samples that a score can be measured on


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is to be measured, and of which fakes.

    `metrics` are keys of `mulligan.evaluate.METRICS`; none: what fits the data. `features` is one of `mulligan.features`, or a
    module (N, C, H, W) in [-1, 1] -> (N, F). `reference` is "test" (the default, where there is a test split or samples were held
    out), "train", or other data.
    """

    n: int = 10_000  # fakes, and at most as many real samples
    metrics: Sequence[str] = ()
    features: Features | Callable[..., Any] | None = None
    reference: str | Source | None = None
    seed: int = 0
    truncation: float = 1.0
    weights: Weights = "averaged"

    def __post_init__(self) -> None:
        if self.n < LEAST:
            raise ArgumentError(f"n={self.n} is too small for any score; use {LEAST} or more, 10,000 where others are to compare")
        if self.seed < 0:
            raise ArgumentError(f"seed={self.seed} is negative; use 0 or more")

    def made(self, *, averages: bool) -> dict[str, Any]:
        """How the fakes come about, for the passport."""
        generator = "raw" if self.weights == "averaged" and not averages else self.weights
        return {"truncation": self.truncation, "seed": self.seed, "generator": generator}


def judge_for(recipe: Recipe, device: torch.device, question: Question, told: Told = ignore) -> Judge:
    """Who answers the question for a recipe's data; DataError or FeaturesError when nobody can."""
    reference = question.reference
    train, test = load_both(recipe.data, recipe.image_size, recipe.held_out)
    reference = reference or ("train" if test is None else "test")
    if reference == "test" and test is None:
        raise DataError(f"reference=test: {name_of(recipe.data)} has no test split and nothing was held out; use --reference train")
    if isinstance(reference, str) and reference in ("train", "test"):
        real, other = (train, test) if reference == "train" or test is None else (test, train)
        words = f"{name_of(recipe.data)} {split_words(recipe, reference, test is not None)}"
    else:
        foreign = source_from(reference) if isinstance(reference, str) else reference
        real, other, words = foreign.load(recipe.image_size or train.shape[-1]), None, name_of(foreign)
        if real.shape != train.shape or real.items.dtype != train.items.dtype:
            raise DataError(
                f"reference={reference} has samples of shape {real.shape} and the run makes {train.shape}; give fitting data"
            )
    extractor = open_features(question.features or default_features(train), train, device)
    names = tuple(question.metrics) or default_metrics(real, extractor, remembers=other is train)
    return Judge(extractor, real, other, other is train, words, tuple(names), question.n, told)


def scoring_judge(recipe: Recipe, device: torch.device) -> Judge | None:
    """The judge that the recipe asks for while it trains."""
    if recipe.scoring is None:
        return None
    scoring = recipe.scoring
    return judge_for(recipe, device, Question(n=scoring.count, metrics=scoring.metrics, features=scoring.features))


def name_of(source: Any) -> str:
    """`mnist`, or `folder PATH`."""
    path = getattr(source, "path", None)
    return part_name(type(source)) + (f" {path}" if path else "")


def split_words(recipe: Recipe, reference: str, parted: bool) -> str:
    if own_test_split(recipe.data) is not None or not parted:
        return str(reference)
    return f"{recipe.held_out:.1%} held out" if reference == "test" else f"all but the {recipe.held_out:.1%} held out"
