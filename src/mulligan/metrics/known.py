"""Scores of points against a distribution that is known exactly: pure functions of arrays, in float64."""

from dataclasses import dataclass

import numpy as np

HIGH_QUALITY_STDS = 3.0  # a point is high quality within this many standard deviations of a mode (VEEGAN, PacGAN)


@dataclass(frozen=True, eq=False)
class KnownMixture:
    """Equal Gaussians of standard deviation `std` around `centres` (K, D)."""

    centres: np.ndarray
    std: float

    def scores(self, points: np.ndarray) -> dict[str, float]:
        """Mode coverage as PacGAN counts it (arXiv:1712.04086, section 4.1), for points (N, D).

        `modes`: centres with at least one high-quality point. `high_quality`: share of points within 3 std of their nearest
        centre. `reverse_kl`: KL of the high-quality points' modes against equal shares, in nats. `spread_ratio`: their spread
        within the modes over a perfect sampler's, 1 when right (below: modes are too tight). The last two are absent when no
        point is high quality.
        """
        centres = self.centres.astype(np.float64)
        offsets = points.astype(np.float64)[:, None, :] - centres[None]
        distances = np.linalg.norm(offsets, axis=2)
        nearest = distances.argmin(1)
        closest = distances[np.arange(len(points)), nearest]
        good = closest < HIGH_QUALITY_STDS * self.std
        counts = np.bincount(nearest[good], minlength=len(centres))
        share = counts[counts > 0] / max(counts.sum(), 1)
        scores = {"modes": float((counts > 0).sum()), "high_quality": float(good.mean())}
        if not good.any():
            return scores
        spread = float(np.sqrt(np.square(closest[good]).mean()))
        return scores | {
            "reverse_kl": float(np.sum(share * np.log(share * len(centres)))),
            "spread_ratio": spread / (self.std * truncated_spread(centres.shape[1])),
        }


@dataclass(frozen=True, eq=False)
class KnownGaussian:
    """One Gaussian with `mean` (D,) and `covariance` (D, D)."""

    mean: np.ndarray
    covariance: np.ndarray

    def scores(self, points: np.ndarray) -> dict[str, float]:
        """`mean_error`: largest difference of a coordinate's mean. `covariance_error`: relative, in Frobenius norm."""
        points = points.astype(np.float64)
        difference = np.cov(points, rowvar=False) - self.covariance
        return {
            "mean_error": float(np.abs(points.mean(0) - self.mean).max()),
            "covariance_error": float(np.linalg.norm(difference) / np.linalg.norm(self.covariance)),
        }


def truncated_spread(dimensions: int, stds: float = HIGH_QUALITY_STDS) -> float:
    """Root mean squared length of a standard normal vector, given that it is shorter than `stds`; by quadrature."""
    radius = np.linspace(0, stds, 20_001)
    density = radius ** (dimensions - 1) * np.exp(-(radius**2) / 2)
    return float(np.sqrt(np.trapezoid(radius**2 * density, radius) / np.trapezoid(density, radius)))
