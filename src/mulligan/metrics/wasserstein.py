"""Sliced Wasserstein distance: how far the sorted shadows of two sets are from each other, over random directions."""

import numpy as np

from mulligan.metrics.checks import check_pair


def sliced_wasserstein(real: np.ndarray, fake: np.ndarray, directions: int = 512, power: int = 2, seed: int = 0) -> float:
    """Features (N, D) and (M, D) -> (mean over directions of W_p^p)^(1/p), in the features' units; p is `power`, 1 or more.

    For two Gaussians that differ by a shift of length s it is s / sqrt(D) for p = 2.
    """
    check_pair(real, fake, 1)
    rng = np.random.default_rng(seed)
    total = 0.0
    for _ in range(directions):
        direction = rng.standard_normal(real.shape[1])
        direction /= np.linalg.norm(direction)
        total += wasserstein_power(real @ direction, fake @ direction, power)
    return float((total / directions) ** (1 / power))


def wasserstein_power(left: np.ndarray, right: np.ndarray, power: int) -> float:
    """W_p^p of numbers (N,) and (M,): both sorted, matched quantile by quantile."""
    left, right = np.sort(left), np.sort(right)
    if len(left) == len(right):
        return float((np.abs(left - right) ** power).mean())
    edges = np.union1d(np.arange(1, len(left) + 1) / len(left), np.arange(1, len(right) + 1) / len(right))
    middles = edges - np.diff(edges, prepend=0) / 2
    gaps = left[(middles * len(left)).astype(int)] - right[(middles * len(right)).astype(int)]
    return float((np.diff(edges, prepend=0) * np.abs(gaps) ** power).sum())
