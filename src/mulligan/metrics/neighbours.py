"""Whether fakes lie where real samples are, and real ones where fakes are: precision, recall, density, coverage.

A ball around each sample reaches to its k-th nearest neighbour in its own set. Precision and recall: arXiv:1904.06991 (k = 3);
density and coverage: arXiv:2002.09797 (k = 5).
"""

from collections.abc import Iterator

import numpy as np

from mulligan.metrics.checks import check_pair

ROWS = 1_000  # of a distance matrix that are held at once


def neighbour_scores(real: np.ndarray, fake: np.ndarray, k: int = 5) -> dict[str, tuple[float, float]]:
    """Features (N, D) and (M, D), both more than k -> each score with its standard error.

    `precision`: share of fakes inside some real ball. `recall`: share of real samples inside some fake ball. `density`: real balls
    around a fake, over k; may exceed 1. `coverage`: share of real balls that hold a fake. The errors take the balls as given.
    """
    check_pair(real, fake, k + 1)
    real, fake = centred(real, fake)
    real_reach, fake_reach = reach(real, k), reach(fake, k)
    inside_real, around = np.zeros(len(fake), bool), np.zeros(len(fake))
    inside_fake, covered = np.zeros(len(real), bool), np.zeros(len(real), bool)
    for start, squares in distance_rows(real, fake):
        rows = slice(start, start + len(squares))
        within = squares < real_reach[rows, None]
        inside_real |= within.any(0)
        around += within.sum(0)
        covered[rows] = within.any(1)
        inside_fake[rows] = (squares < fake_reach).any(1)
    samples = {"precision": inside_real, "recall": inside_fake, "density": around / k, "coverage": covered}
    return {name: (float(values.mean()), float(values.std() / np.sqrt(len(values)))) for name, values in samples.items()}


def centred(real: np.ndarray, fake: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both less the real mean: distances stay, and fewer digits are lost in them."""
    middle = np.asarray(real, np.float64).mean(0)
    return real - middle, fake - middle


def reach(features: np.ndarray, k: int) -> np.ndarray:
    """(N,): the squared distance of each sample to its k-th nearest other one."""
    found = np.empty(len(features))
    for start, squares in distance_rows(features, features):
        squares[np.arange(len(squares)), start + np.arange(len(squares))] = -1  # itself comes first
        found[start : start + len(squares)] = np.partition(squares, k, axis=1)[:, k]
    return found


def distance_rows(left: np.ndarray, right: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The squared distances of some rows of `left` to all of `right`, with where they start."""
    lengths = np.square(right).sum(1)
    for start in range(0, len(left), ROWS):
        part = left[start : start + ROWS]
        squares = part @ right.T
        squares *= -2
        squares += np.square(part).sum(1)[:, None]
        squares += lengths
        yield start, np.maximum(squares, 0, out=squares)


def nearest(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(N,): the distance of each sample of `left` to its nearest in `right`."""
    check_pair(left, right, 1)
    return np.sqrt(np.concatenate([squares.min(1) for _, squares in distance_rows(*centred(left, right))]))
