"""Scores as pure functions of arrays, in float64; each says what it means, its range, and the paper it is from."""

from mulligan.metrics.bootstrap import bootstrap_error, interval
from mulligan.metrics.classes import inception_score, mode_scores
from mulligan.metrics.frechet import FrechetTo, Gaussian, frechet_distance, frechet_infinity
from mulligan.metrics.kernel import kernel_distance
from mulligan.metrics.known import KnownGaussian, KnownMixture
from mulligan.metrics.memory import exact_copies, memorisation_scores
from mulligan.metrics.neighbours import nearest, neighbour_scores
from mulligan.metrics.wasserstein import sliced_wasserstein

__all__ = [
    "FrechetTo",
    "Gaussian",
    "KnownGaussian",
    "KnownMixture",
    "bootstrap_error",
    "exact_copies",
    "frechet_distance",
    "frechet_infinity",
    "inception_score",
    "interval",
    "kernel_distance",
    "memorisation_scores",
    "mode_scores",
    "nearest",
    "neighbour_scores",
    "sliced_wasserstein",
]
