"""Scores mean what they say."""

import math

import numpy as np
import pytest

from mulligan.metrics.known import KnownGaussian, KnownMixture, truncated_spread

CENTRES = np.array([[x, y] for x in (-2.0, 0.0, 2.0) for y in (-2.0, 0.0, 2.0)])
TRUTH = KnownMixture(CENTRES, 0.05)


def perfect(count: int, std: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(0)
    return CENTRES[rng.integers(9, size=count)] + std * rng.standard_normal((count, 2))


def test_a_perfect_sampler_scores_as_theory_says() -> None:
    scores = TRUTH.scores(perfect(50_000))
    assert scores["modes"] == 9
    assert scores["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.002)
    assert scores["reverse_kl"] < 4 * 8 / (2 * 50_000)
    assert scores["spread_ratio"] == pytest.approx(1.0, abs=0.01)


def test_a_collapsed_sampler_has_one_mode_and_the_whole_divergence() -> None:
    scores = TRUTH.scores(np.tile(CENTRES[4], (100, 1)))
    assert scores == {"modes": 1.0, "high_quality": 1.0, "reverse_kl": pytest.approx(math.log(9)), "spread_ratio": 0.0}


def test_modes_that_are_too_tight_show_in_the_spread() -> None:
    assert TRUTH.scores(perfect(5_000, std=0.025))["spread_ratio"] == pytest.approx(0.5, abs=0.03)


def test_points_between_the_modes_are_of_no_quality() -> None:
    assert TRUTH.scores(np.ones((10, 2))) == {"modes": 0.0, "high_quality": 0.0}
    half = np.concatenate([np.ones((10, 2)), CENTRES[:1].repeat(10, 0)])
    assert TRUTH.scores(half)["high_quality"] == 0.5


def test_points_that_are_no_numbers_are_of_no_quality() -> None:
    points = np.array([[np.nan, 0.0], [0.0, 0.0]])
    assert TRUTH.scores(points)["high_quality"] == 0.5


def test_the_spread_inside_three_deviations_in_the_plane_is_known_exactly() -> None:
    # E[r^2 | r < 3] for a Rayleigh radius: 2 - 9 e^{-4.5} / (1 - e^{-4.5})
    exact = math.sqrt(2 - 9 * math.exp(-4.5) / (1 - math.exp(-4.5)))
    assert truncated_spread(2) == pytest.approx(exact, rel=1e-6)


def test_a_gaussian_fit_is_measured_in_mean_and_covariance() -> None:
    points = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])  # mean 0, covariance diag(2/3, 8/3)
    scores = KnownGaussian(np.array([0.5, 0.0]), np.diag([2 / 3, 8 / 3 * 2])).scores(points)
    assert scores["mean_error"] == 0.5
    assert scores["covariance_error"] == pytest.approx((8 / 3) / np.linalg.norm([2 / 3, 16 / 3]))


def test_points_far_beyond_float32_are_of_no_quality() -> None:
    points = np.array([[3e38, 3e38], [np.inf, 0.0], [0.0, 0.0]], np.float32)
    assert TRUTH.scores(points)["high_quality"] == pytest.approx(1 / 3)


def test_three_deviations_are_where_high_quality_ends() -> None:
    offsets = np.array([[2.9 * 0.05, 0.0], [3.1 * 0.05, 0.0]])
    assert TRUTH.scores(CENTRES[4] + offsets)["high_quality"] == 0.5


def test_missing_modes_cost_the_logarithm_of_their_share() -> None:
    three_of_nine = CENTRES[:3].repeat(10, 0)
    assert TRUTH.scores(three_of_nine)["reverse_kl"] == pytest.approx(math.log(3))


def test_the_spread_inside_three_deviations_in_space_is_known_exactly() -> None:
    # a Maxwell radius: E[r^2 | r < a] = 3 - a^3 e^{-a^2/2} / (sqrt(pi/2) erf(a/sqrt 2) - a e^{-a^2/2})
    tail = 3 * math.exp(-4.5)
    exact = math.sqrt(3 - 9 * tail / (math.sqrt(math.pi / 2) * math.erf(3 / math.sqrt(2)) - tail))
    assert truncated_spread(3) == pytest.approx(exact, rel=1e-6)


def test_a_fit_without_error_scores_zero() -> None:
    points = np.random.default_rng(0).standard_normal((50, 3))
    scores = KnownGaussian(points.mean(0), np.cov(points, rowvar=False)).scores(points)
    assert scores == pytest.approx({"mean_error": 0.0, "covariance_error": 0.0})
