"""Scores from the classes that a classifier sees: the Inception score, and how many of known modes are there."""

import numpy as np

from mulligan.errors import FeaturesError


def inception_score(probabilities: np.ndarray, splits: int = 10) -> tuple[float, float]:
    """(N, K) chances of classes -> (exp of the mean KL from the mean, its standard deviation over `splits` parts).

    arXiv:1606.03498; from 1 to K. Named so only with Inception's own 1,008 classes; else it is that classifier's score.
    """
    if probabilities.ndim != 2 or len(probabilities) < splits:
        raise FeaturesError(f"probabilities have shape {probabilities.shape}; the score needs (N, K) with N of {splits} or more")
    values = [class_score(part) for part in np.array_split(np.asarray(probabilities, np.float64), splits)]
    return float(np.mean(values)), float(np.std(values))


def class_score(probabilities: np.ndarray) -> float:
    logs = np.log(np.clip(probabilities, 1e-300, None))
    mean = probabilities.mean(0)
    return float(np.exp((probabilities * (logs - np.log(np.clip(mean, 1e-300, None)))).sum(1).mean()))


def mode_scores(which: np.ndarray, modes: int) -> dict[str, float]:
    """Whole numbers (N,) from 0 to modes - 1 -> how many of the modes occur, and KL of their shares against equal ones, in nats.

    A perfect sampler has a KL of about (modes - 1) / (2 N): `floor`.
    """
    counts = np.bincount(which, minlength=modes)
    shares = counts[counts > 0] / counts.sum()
    kl = float((shares * np.log(shares * modes)).sum())
    return {"modes": float((counts > 0).sum()), "kl": kl, "kl_floor": (modes - 1) / (2 * len(which))}
