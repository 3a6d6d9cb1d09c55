"""Kernel distance (arXiv:1801.01401): the squared maximum mean discrepancy under a cubic kernel, without bias."""

import numpy as np

from mulligan.metrics.checks import check_pair

GROUPS = 10  # of samples that the jackknife leaves out in turn


def kernel_distance(real: np.ndarray, fake: np.ndarray) -> tuple[float, float]:
    """Features (N, D) and (M, D), N and M at least 20 -> (distance, its standard error); the distance may fall below 0.

    k(x, y) = (x . y / D + 1)^3, over all pairs of different samples; the usual average over random subsets estimates the same.
    The error is a jackknife over ten groups.
    """
    check_pair(real, fake, 2 * GROUPS)
    sizes = [np.array([len(part) for part in groups(features)]) for features in (real, fake)]
    tables = [sums(real, real), sums(fake, fake), sums(real, fake)]
    whole = combine(tables, sizes)
    left_out = [
        combine(
            [np.delete(np.delete(table, group, 0), group, 1) for table in tables],
            [np.delete(counts, group) for counts in sizes],
        )
        for group in range(GROUPS)
    ]
    error = np.sqrt((GROUPS - 1) / GROUPS * np.square(np.array(left_out) - np.mean(left_out)).sum())
    return whole, float(error)


def combine(tables: list[np.ndarray], sizes: list[np.ndarray]) -> float:
    """The unbiased estimate from the kernel sums of each pair of groups; pairs of a sample with itself are not in them."""
    (n, m), (real, fake, across) = (counts.sum() for counts in sizes), (table.sum() for table in tables)
    return float(real / (n * (n - 1)) + fake / (m * (m - 1)) - 2 * across / (n * m))


def groups(features: np.ndarray) -> list[np.ndarray]:
    return np.array_split(np.asarray(features, np.float64), GROUPS)


def sums(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(GROUPS, GROUPS): the kernel summed over each pair of groups, without the pairs of a sample with itself."""
    table = np.zeros((GROUPS, GROUPS))
    same = left is right
    for row, a in enumerate(groups(left)):
        for column, b in enumerate(groups(right)):
            if same and column < row:
                table[row, column] = table[column, row]
                continue
            values = cubic(a @ b.T / left.shape[1])
            table[row, column] = values.sum() - (np.trace(values) if same and row == column else 0)
    return table


def cubic(products: np.ndarray) -> np.ndarray:
    shifted = products + 1
    return shifted * shifted * shifted
