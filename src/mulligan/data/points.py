"""Points in the plane whose distribution is known exactly, so that a fit can be measured and not only looked at."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import torch

from mulligan.errors import DataError
from mulligan.metrics import KnownGaussian, KnownMixture
from mulligan.parts import Dataset

MOST_POINTS = 100_000_000


@dataclass(frozen=True)
class Gaussian:
    """z A + b for z ~ N(0, I) as a row: mean b, covariance A^T A (the Gluon notebook's data)."""

    count: int = 1_000
    data_seed: int = 0

    def load(self, size: int | None) -> Dataset:
        check_count(self.count)
        a, b = np.array([[1.0, 2.0], [-0.1, 0.5]]), np.array([1.0, 2.0])
        points = np.random.default_rng(self.data_seed).standard_normal((self.count, 2)) @ a + b
        return Dataset(torch.from_numpy(points.astype(np.float32)), truth=KnownGaussian(b, a.T @ a))

    def test_split(self) -> "Gaussian":
        return replace(self, data_seed=self.data_seed + 1)


@dataclass(frozen=True)
class Ring:
    """Eight Gaussians of standard deviation 0.01 on a circle of radius 1 (VEEGAN's and PacGAN's protocol)."""

    count: int = 100_000
    data_seed: int = 0

    def load(self, size: int | None) -> Dataset:
        angles = 2 * np.pi * np.arange(8) / 8
        return mixture(np.stack([np.cos(angles), np.sin(angles)], 1), 0.01, self.count, self.data_seed)

    def test_split(self) -> "Ring":
        return replace(self, data_seed=self.data_seed + 1)


@dataclass(frozen=True)
class Grid:
    """Twenty-five Gaussians of standard deviation 0.05 on {-4, -2, 0, 2, 4}^2 (VEEGAN's and PacGAN's protocol)."""

    count: int = 100_000
    data_seed: int = 0

    def load(self, size: int | None) -> Dataset:
        ticks = [-4.0, -2.0, 0.0, 2.0, 4.0]
        return mixture(np.array(list(itertools.product(ticks, ticks))), 0.05, self.count, self.data_seed)

    def test_split(self) -> "Grid":
        return replace(self, data_seed=self.data_seed + 1)


def check_count(count: int) -> None:
    if not 1 <= count <= MOST_POINTS:
        raise DataError(f"data has count={count:,} points; use 1 to {MOST_POINTS:,}")


def mixture(centres: np.ndarray, std: float, count: int, seed: int) -> Dataset:
    """Every Gaussian equally likely."""
    check_count(count)
    rng = np.random.default_rng(seed)
    which = rng.integers(len(centres), size=count)
    points = centres[which] + std * rng.standard_normal((count, 2))
    return Dataset(
        torch.from_numpy(points.astype(np.float32)),
        torch.from_numpy(which),
        tuple(map(str, range(len(centres)))),
        truth=KnownMixture(centres, std),
    )
