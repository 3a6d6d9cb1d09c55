"""Fréchet distance between two sets of features, each taken for a Gaussian (arXiv:1706.08500); FID when they are Inception's."""

from dataclasses import dataclass

import numpy as np

from mulligan.metrics.checks import check_pair

EXTRAPOLATED_SIZES = 15


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean (D,) and covariance (D, D) of features (N, D)."""

    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> "Gaussian":
        features = np.asarray(features, np.float64)
        mean = features.mean(0)
        centred = features - mean
        return cls(mean, centred.T @ centred / (len(features) - 1))


class FrechetTo:
    """Distances to one reference, whose root is taken once."""

    def __init__(self, reference: Gaussian):
        self.reference = reference
        values, vectors = np.linalg.eigh(reference.covariance)
        kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
        self.root = vectors[:, kept] * np.sqrt(values[kept])  # covariance = root root^T

    def __call__(self, other: Gaussian) -> float:
        """|m - m'|^2 + tr(S + S' - 2 (S S')^(1/2)), never below 0."""
        shift = self.reference.mean - other.mean
        inner = self.root.T @ other.covariance @ self.root  # symmetric, with the eigenvalues of S S'
        values = np.linalg.eigvalsh((inner + inner.T) / 2)
        values = values[values > values[-1] * len(values) * np.finfo(np.float64).eps] if len(values) else values
        spread = np.trace(self.reference.covariance) + np.trace(other.covariance)
        return max(float(shift @ shift + spread - 2 * np.sqrt(values).sum()), 0.0)


def frechet_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """Features (N, D) and (M, D), N and M at least 2 -> the distance, from 0; float64. Biased upwards for small N and M."""
    check_pair(real, fake)
    return FrechetTo(Gaussian.of(real))(Gaussian.of(fake))


def frechet_infinity(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> float:
    """The distance that infinitely many fakes would have: a line through fifteen sizes against 1/M, at 0 (arXiv:1911.07023).

    The sizes go evenly from a tenth of the fakes to all of them, each a random choice. The bias of `real` stays.
    """
    check_pair(real, fake)
    rng, to_real = np.random.default_rng(seed), FrechetTo(Gaussian.of(real))
    sizes = np.unique(np.linspace(max(len(fake) // 10, 2), len(fake), EXTRAPOLATED_SIZES).astype(int))
    distances = [to_real(Gaussian.of(fake[rng.permutation(len(fake))[:size]])) for size in sizes]
    if len(sizes) < 2:
        return distances[0]
    return float(np.polyfit(1 / sizes, distances, 1)[1])
