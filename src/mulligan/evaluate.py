"""Scores with their passport: what was compared with what, and how, so that two numbers are ranked only when they may be."""

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mulligan import metrics
from mulligan.errors import FeaturesError, RunFolderError
from mulligan.features import Extractor
from mulligan.features.extractor import Told, ignore
from mulligan.metrics import FrechetTo, Gaussian
from mulligan.parts import Dataset

Measured = dict[str, tuple[float, float]]  # value and standard error, by name
FEW_FOR_FRECHET = 5  # samples for each feature: with fewer the distance is mostly bias
DRAWS = 10  # of the bootstrap, where a score has no error of its own
PRECISION_NEIGHBOURS, DENSITY_NEIGHBOURS = 3, 5  # as their papers use them

BETTER = {
    **dict.fromkeys(("fd", "fid", "fd_infinity", "fid_infinity", "kid", "swd", "reverse_kl", "kl", "exact_copies"), "lower"),
    **dict.fromkeys(("mean_error", "covariance_error", "kl_floor"), "lower"),
    **dict.fromkeys(("precision", "recall", "coverage", "modes", "sure_modes", "high_quality"), "higher"),
    **dict.fromkeys(("inception_score", "classifier_score"), "higher"),
    **dict.fromkeys(("density", "distance_ratio", "spread_ratio"), "near 1"),
    "nearer_to_train": "near 0.5",
}
SHARES = {"precision", "recall", "coverage", "nearer_to_train", "high_quality"}  # from 0 to 1, and so are their intervals


@dataclass(frozen=True, eq=False)
class Sides:
    """What is compared: samples as stored, uint8 (N, C, H, W) or float32 (N, D), and their features on demand."""

    extractor: Extractor
    real: Tensor
    fake: Tensor
    fake_is_real: bool  # for the floor
    train: Dataset | None  # what the generator learnt from, where it can be told from `real`
    truth: Any
    told: Told = ignore

    @cached_property
    def real_features(self) -> np.ndarray:
        return self.extractor.of_real(self.real, self.told)

    @cached_property
    def fake_features(self) -> np.ndarray:
        return (self.extractor.of_real if self.fake_is_real else self.extractor)(self.fake, self.told)

    @cached_property
    def to_real(self) -> FrechetTo:
        return FrechetTo(Gaussian.of(self.real_features))


def frechet(sides: Sides) -> Measured:
    def distance(features: np.ndarray) -> float:
        return sides.to_real(Gaussian.of(features))

    name = "fid" if sides.extractor.name == "inception" else "fd"
    return {name: (distance(sides.fake_features), metrics.bootstrap_error(distance, sides.fake_features, DRAWS))}


def infinity(sides: Sides) -> Measured:
    name = "fid_infinity" if sides.extractor.name == "inception" else "fd_infinity"
    value = metrics.frechet_infinity(sides.real_features, sides.fake_features)
    again = [metrics.frechet_infinity(sides.real_features, sides.fake_features, seed) for seed in (1, 2)]
    return {name: (value, float(np.std([value, *again], ddof=1)))}


def kernel(sides: Sides) -> Measured:
    return {"kid": metrics.kernel_distance(sides.real_features, sides.fake_features)}


def precision_recall(sides: Sides) -> Measured:
    found = metrics.neighbour_scores(sides.real_features, sides.fake_features, PRECISION_NEIGHBOURS)
    return {name: found[name] for name in ("precision", "recall")}


def density_coverage(sides: Sides) -> Measured:
    found = metrics.neighbour_scores(sides.real_features, sides.fake_features, DENSITY_NEIGHBOURS)
    return {name: found[name] for name in ("density", "coverage")}


def sliced(sides: Sides) -> Measured:
    def distance(features: np.ndarray) -> float:
        return metrics.sliced_wasserstein(sides.real_features, features)

    return {"swd": (distance(sides.fake_features), metrics.bootstrap_error(distance, sides.fake_features, DRAWS))}


def class_score(sides: Sides) -> Measured:
    if sides.extractor.probabilities is None:
        raise FeaturesError(
            f"metrics=is needs a network that tells classes, and features={sides.extractor.name} has no such head; "
            "use --features classifier, or pytorch-fid's file of Inception"
        )
    value, spread = metrics.inception_score(sides.extractor.probabilities(sides.fake_features))
    return {"inception_score" if sides.extractor.name == "inception" else "classifier_score": (value, spread / 10**0.5)}


def memory(sides: Sides) -> Measured:
    if sides.train is None:
        raise FeaturesError(
            "metrics=memory needs samples that were not trained on; use --reference test, and held_out in the recipe"
        )
    count = min(len(sides.real), len(sides.train))
    train = sides.extractor.of_real(chosen(sides.train.items, count), sides.told)
    copies = metrics.exact_copies(sides.train.items.numpy(), sides.fake.numpy())
    return metrics.memorisation_scores(train, sides.real_features, sides.fake_features) | {"exact_copies": (float(copies), 0.0)}


def known(sides: Sides) -> Measured:
    if sides.truth is None:
        raise FeaturesError("metrics=modes needs data whose modes are known: ring, grid, gaussian or stacked-mnist")
    samples = sides.fake.numpy()
    values = sides.truth.scores(samples)
    rng = np.random.default_rng(0)
    again = [sides.truth.scores(samples[rng.integers(len(samples), size=len(samples))]) for _ in range(DRAWS)]
    return {name: (value, float(np.std([other.get(name, value) for other in again], ddof=1))) for name, value in values.items()}


METRICS: dict[str, Callable[[Sides], Measured]] = {
    "fd": frechet,
    "fd-infinity": infinity,
    "kid": kernel,
    "pr": precision_recall,
    "dc": density_coverage,
    "swd": sliced,
    "is": class_score,
    "memory": memory,
    "modes": known,
}


@dataclass(frozen=True)
class Score:
    """A value, the range that holds the true one 95 times of 100, and what real samples get against other real samples."""

    value: float
    low: float
    high: float
    floor: float | None = None
    better: str = "lower"

    def __float__(self) -> float:
        return self.value

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Score":
        value, low, high = (float(data[name]) for name in ("value", "low", "high"))
        return cls(value, low, high, None if data["floor"] is None else float(data["floor"]), str(data["better"]))


@dataclass(frozen=True)
class Evaluation(Mapping[str, Score]):
    """Scores by name, with the passport that all of them travel with. `images_seen` is the moment of the run."""

    scores: dict[str, Score]
    passport: dict[str, Any]
    images_seen: int = 0
    warnings: tuple[str, ...] = field(default=())

    def __getitem__(self, name: str) -> Score:
        return self.scores[name]

    def __iter__(self) -> Any:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def plain(cls, values: Mapping[str, float], passport: Mapping[str, Any], images_seen: int) -> "Evaluation":
        """Values without intervals, as a training's reports have them."""
        scores = {name: Score(value, value, value, None, BETTER.get(name, "higher")) for name, value in values.items()}
        return cls(scores, dict(passport), images_seen)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Evaluation":
        """RunFolderError for what `to_json` did not give."""
        try:
            scores = {str(name): Score.from_json(score) for name, score in data["scores"].items()}
            return cls(scores, dict(data["passport"]), int(data["images_seen"]), tuple(map(str, data["warnings"])))
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise RunFolderError(f"an evaluation is damaged: {error!r}; delete it from the run's folder") from error

    @property
    def key(self) -> str:
        """A short name of the passport: scores may be ranked when it is the same."""
        return passport_key(self.passport)


def passport_key(passport: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(passport, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True, eq=False)
class Judge:
    """Measures fakes against one reference of real samples, in one kind of features.

    `other` are more real samples, of the other split: against the reference they give the floor, and they are what may have been
    learnt by heart when they are what was trained on (`other_is_train`).
    """

    extractor: Extractor
    reference: Dataset
    other: Dataset | None
    other_is_train: bool
    split: str  # of the reference, in words
    names: tuple[str, ...]  # keys of METRICS
    count: int = 10_000
    told: Told = ignore

    def __post_init__(self) -> None:
        for name in self.names:
            if name not in METRICS:
                raise FeaturesError(f"metrics={name} is none of {', '.join(METRICS)}")

    @cached_property
    def real(self) -> Tensor:
        return chosen(self.reference.items, self.count)

    def passport(self, fakes: int) -> dict[str, Any]:
        """What the scores of that many fakes are to be told with; who made them is added by whoever knows."""
        return {
            "n_real": len(self.real),
            "n_fake": fakes,
            "split": self.split,
            "reference_sha256": hashlib.sha256(np.ascontiguousarray(self.real.numpy()).data).hexdigest()[:16],
            **self.extractor.passport(),
            "interval": "95 %",
            "mulligan": version("mulligan"),
        }

    def measure(self, fake: Tensor) -> dict[str, tuple[float, float]]:
        """Fakes as stored -> each score with its standard error."""
        train = self.other if self.other_is_train else None
        return self.measured(Sides(self.extractor, self.real, fake, False, train, self.reference.truth, self.told), self.names)

    def floor(self, fakes: int) -> dict[str, tuple[float, float]]:
        """The same scores of as many real samples of the other split; empty when there is none."""
        if self.other is None:
            return {}
        real = chosen(self.other.items, fakes)
        sides = Sides(self.extractor, self.real, real, True, None, self.reference.truth, self.told)
        return self.measured(sides, [name for name in self.names if name != "memory"])

    def measured(self, sides: Sides, names: Iterable[str]) -> Measured:
        found: Measured = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of fakes that are all the same
            for name in names:
                found |= METRICS[name](sides)
        return found

    def evaluate(self, fake: Tensor, made: Mapping[str, Any], images_seen: int = 0) -> Evaluation:
        """Fakes as stored, and how they were `made` -> scores with intervals, floors and passport."""
        measured, floor = self.measure(fake), self.floor(len(fake))
        scores = {
            name: Score(value, *between(name, value, error), floor[name][0] if name in floor else None, BETTER.get(name, "higher"))
            for name, (value, error) in measured.items()
        }
        return Evaluation(scores, self.passport(len(fake)) | dict(made), images_seen, tuple(self.doubts(fake)))

    def doubts(self, fake: Tensor) -> list[str]:
        """What a reader of the scores should know."""
        features, fewest = self.extractor(fake[:2]).shape[1], min(len(fake), len(self.real))
        found = []
        if {"fd", "fd-infinity"} & set(self.names) and fewest < FEW_FOR_FRECHET * features:
            found.append(
                f"n={fewest:,} is too small for a Fréchet distance in {features:,} features: it is mostly bias; "
                f"use {FEW_FOR_FRECHET * features:,} or more, or look at kid, which has none"
            )
        if self.other is None:
            found.append("there are no other real samples, so there is no floor")
        return found


def chosen(items: Tensor, count: int) -> Tensor:
    """At most `count` samples, always the same ones, in the order they are stored."""
    if len(items) <= count:
        return items
    places = np.sort(np.random.default_rng(0).permutation(len(items))[:count])
    return items[torch.from_numpy(places)]


def between(name: str, value: float, error: float) -> tuple[float, float]:
    """The 95 % interval of a score, within what it can be."""
    low, high = metrics.interval(value, error)
    return (max(low, 0.0), min(high, 1.0)) if name in SHARES else (low, high)


def default_metrics(data: Dataset, extractor: Extractor, *, remembers: bool) -> Sequence[str]:
    """The usual four; first the truth where it is known, last the memory where it can be told and its features come quickly."""
    first = ("modes",) if data.truth is not None else ()
    last = ("memory",) if remembers and not extractor.slow and data.truth is None else ()
    return (*first, "fd", "kid", "pr", "dc", *last)
