"""How sure a score is of itself."""

from collections.abc import Callable

import numpy as np

NORMAL_95 = 1.959963984540054


def bootstrap_error(score: Callable[[np.ndarray], float], samples: np.ndarray, draws: int = 20, seed: int = 0) -> float:
    """The standard error of `score(samples)`: its spread over `draws` choices of as many samples, with replacement.

    Only the spread is taken from them, since scores of repeated samples are themselves shifted.
    """
    rng = np.random.default_rng(seed)
    values = [score(samples[rng.integers(len(samples), size=len(samples))]) for _ in range(draws)]
    return float(np.std(values, ddof=1))


def interval(value: float, error: float) -> tuple[float, float]:
    """The range that holds the true value 95 times of 100."""
    return value - NORMAL_95 * error, value + NORMAL_95 * error
