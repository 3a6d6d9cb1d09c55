"""Each score against closed forms, against other people's code, and by what it should mean."""

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import torch
from scipy.spatial.distance import cdist
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from mulligan import metrics
from mulligan.errors import FeaturesError
from mulligan.metrics.kernel import GROUPS, cubic
from mulligan.metrics.wasserstein import wasserstein_power


def normal(count: int, dimensions: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dimensions))


def mixed(count: int, dimensions: int, seed: int = 0) -> np.ndarray:
    """Features whose coordinates depend on each other and have scales of their own."""
    rng = np.random.default_rng(99)
    return normal(count, dimensions, seed) @ rng.standard_normal((dimensions, dimensions)) + rng.standard_normal(dimensions)


# Fréchet


def test_frechet_of_gaussians_has_a_closed_form_and_is_symmetric() -> None:
    left = metrics.Gaussian(np.array([1.0, 0.0]), np.diag([4.0, 9.0]))
    right = metrics.Gaussian(np.array([0.0, 2.0]), np.diag([1.0, 16.0]))
    by_hand = 1 + 4 + (2 - 1) ** 2 + (3 - 4) ** 2
    assert metrics.FrechetTo(left)(right) == pytest.approx(by_hand, rel=1e-12)
    assert metrics.FrechetTo(right)(left) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("dimensions", [3, 40])
def test_frechet_equals_the_matrix_root_of_scipy(dimensions: int) -> None:
    real, fake = mixed(500, dimensions), mixed(400, dimensions, 1) * 1.1 + 0.3
    root = scipy.linalg.sqrtm(np.cov(real, rowvar=False) @ np.cov(fake, rowvar=False))
    spread = np.trace(np.cov(real, rowvar=False)) + np.trace(np.cov(fake, rowvar=False))
    by_hand = np.square(real.mean(0) - fake.mean(0)).sum() + spread - 2 * np.trace(np.real(root))
    assert metrics.frechet_distance(real, fake) == pytest.approx(by_hand, rel=1e-9)


def test_frechet_equals_torchmetrics() -> None:
    real, fake = mixed(300, 16), mixed(200, 16, 1) + 0.5
    judge = FrechetInceptionDistance(feature=Flat(16), normalize=True, input_img_size=(1, 4, 4)).set_dtype(torch.float64)
    judge.update(torch.from_numpy(real).reshape(-1, 1, 4, 4), real=True)
    judge.update(torch.from_numpy(fake).reshape(-1, 1, 4, 4), real=False)
    assert metrics.frechet_distance(real, fake) == pytest.approx(float(judge.compute()), rel=1e-6)


class Flat(torch.nn.Module):
    """What torchmetrics takes for a feature network: the numbers themselves."""

    def __init__(self, num_features: int):
        super().__init__()
        self.num_features = num_features

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1)


def test_frechet_works_with_fewer_samples_than_features_and_is_zero_for_the_same_ones() -> None:
    few = mixed(30, 64)
    assert metrics.frechet_distance(few, few) == pytest.approx(0, abs=1e-9 * np.square(few).sum())
    other = mixed(20, 64, 1)
    products = np.linalg.eigvals(np.cov(few, rowvar=False) @ np.cov(other, rowvar=False)).real
    roots = np.sqrt(products[products > products.max() * 1e-12]).sum()
    spread = np.trace(np.cov(few, rowvar=False)) + np.trace(np.cov(other, rowvar=False))
    by_hand = np.square(few.mean(0) - other.mean(0)).sum() + spread - 2 * roots
    assert metrics.frechet_distance(few, other) == pytest.approx(by_hand, rel=1e-6)


def test_frechet_infinity_takes_most_of_the_bias_away() -> None:
    real, fake = normal(20_000, 24), normal(2_000, 24, 1)
    biased, unbiased = metrics.frechet_distance(real, fake), metrics.frechet_infinity(real, fake)
    assert biased > 0.08
    assert abs(unbiased) < 0.25 * biased


# kernel


def test_kernel_distance_is_the_unbiased_sum_over_pairs() -> None:
    real, fake = mixed(40, 5), mixed(30, 5, 1)
    alike = cubic(real @ real.T / 5), cubic(fake @ fake.T / 5)
    by_hand = (alike[0].sum() - np.trace(alike[0])) / (40 * 39) + (alike[1].sum() - np.trace(alike[1])) / (30 * 29)
    by_hand -= 2 * cubic(real @ fake.T / 5).mean()
    assert metrics.kernel_distance(real, fake)[0] == pytest.approx(by_hand, rel=1e-10)


@pytest.mark.filterwarnings("ignore:Metric")  # that it keeps features in memory
def test_kernel_distance_equals_torchmetrics() -> None:
    real, fake = normal(100, 16), normal(100, 16, 1) + 0.5
    judge = KernelInceptionDistance(feature=Flat(16), subsets=1, subset_size=100, normalize=True).set_dtype(torch.float64)
    judge.update(torch.from_numpy(real).reshape(-1, 1, 4, 4), real=True)
    judge.update(torch.from_numpy(fake).reshape(-1, 1, 4, 4), real=False)
    assert metrics.kernel_distance(real, fake)[0] == pytest.approx(float(judge.compute()[0]), rel=1e-6)


def test_kernel_distance_has_no_bias_and_knows_its_error() -> None:
    found = [metrics.kernel_distance(normal(100, 4, seed), normal(100, 4, 1_000 + seed)) for seed in range(60)]
    values, errors = np.array(found).T
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(len(values))
    assert 0.5 < errors.mean() / values.std() < 3  # a jackknife of two equal distributions is on the safe side
    apart = np.array([metrics.kernel_distance(normal(100, 4, seed), normal(100, 4, 1_000 + seed) + 1) for seed in range(60)])
    assert 0.6 < apart[:, 1].mean() / apart[:, 0].std() < 1.6


# precision, recall, density, coverage


def test_neighbour_scores_of_gaussians_are_those_that_prdc_publishes() -> None:
    """prdc's README prints these for one draw of 10,000 standard normal samples each in 1,000 dimensions, k = 5.

    Over five pairs of seeds precision and recall come out from 0.450 to 0.484, density from 0.91 to 1.07, coverage 0.963 to 0.978.
    """
    found = metrics.neighbour_scores(normal(10_000, 1_000, 7), normal(10_000, 1_000, 8), 5)
    published = {"precision": (0.477, 0.03), "recall": (0.471, 0.03), "density": (1.056, 0.1), "coverage": (0.974, 0.015)}
    for name, (value, between_seeds) in published.items():
        assert found[name][0] == pytest.approx(value, abs=between_seeds), name


def test_neighbour_scores_are_those_of_their_definition() -> None:
    real, fake, k = mixed(120, 5), 0.8 * mixed(150, 5, 1) + 0.2, 4
    to_real, to_fake = (np.sort(cdist(x, x), 1)[:, k] for x in (real, fake))
    between = cdist(real, fake)
    inside = between < to_real[:, None]
    by_definition = {
        "precision": inside.any(0).mean(),
        "recall": (between < to_fake).any(1).mean(),
        "density": inside.sum(0).mean() / k,
        "coverage": inside.any(1).mean(),
    }
    found = metrics.neighbour_scores(real, fake, k)
    assert {name: value for name, (value, _) in found.items()} == pytest.approx(by_definition, rel=1e-12)
    assert 0 < found["precision"][0] < 1


def test_neighbour_scores_by_hand() -> None:
    real, fake = np.array([[0.0], [1.0], [3.0]]), np.array([[0.5], [2.5], [9.0]])
    # k = 1: real balls reach 1, 1, 2; fake balls 2, 2, 6.5
    found = {name: value for name, (value, _) in metrics.neighbour_scores(real, fake, 1).items()}
    assert found == pytest.approx({"precision": 2 / 3, "recall": 1.0, "density": (2 + 1 + 0) / 3, "coverage": 1.0})


def test_collapsed_fakes_are_precise_and_recall_nothing() -> None:
    real = normal(1_000, 8)
    collapsed = 0.01 * normal(1_000, 8, 1)
    found = metrics.neighbour_scores(real, collapsed, 5)
    assert found["precision"][0] > 0.95
    assert found["recall"][0] < 0.05
    assert found["coverage"][0] < 0.2


def test_fakes_far_from_the_data_are_neither() -> None:
    found = metrics.neighbour_scores(normal(500, 8), normal(500, 8, 1) + 100, 5)
    assert [found[name][0] for name in ("precision", "recall", "density", "coverage")] == [0, 0, 0, 0]


def test_the_halves_of_one_set_give_the_floor() -> None:
    """What real samples get against real ones is what fakes can hope for."""
    whole = mixed(4_000, 6)
    shuffled = np.random.default_rng(0).permutation(whole)
    halves = shuffled[:2_000], shuffled[2_000:]
    assert metrics.frechet_distance(*halves) < 0.02 * metrics.frechet_distance(whole, whole * 1.5)
    value, error = metrics.kernel_distance(*halves)
    assert abs(value) < 3 * error
    found = metrics.neighbour_scores(*halves, 5)
    assert found["precision"][0] > 0.9
    assert found["recall"][0] > 0.9
    assert found["coverage"][0] > 0.95
    assert found["density"][0] == pytest.approx(1, abs=0.1)


def test_the_nearest_is_found() -> None:
    points = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert metrics.nearest(np.array([[0.0, 1.0], [3.0, 4.0]]), points) == pytest.approx([1, 0], abs=1e-7)


# sliced Wasserstein


@pytest.mark.parametrize("sizes", [(200, 200), (200, 130)])
def test_the_distance_of_numbers_is_scipys(sizes: tuple[int, int]) -> None:
    left, right = normal(sizes[0], 1)[:, 0], 2 * normal(sizes[1], 1, 1)[:, 0] + 1
    assert wasserstein_power(left, right, 1) == pytest.approx(scipy.stats.wasserstein_distance(left, right), rel=1e-10)


def test_sliced_wasserstein_of_a_shift_has_a_closed_form() -> None:
    real, shift = normal(300, 3), np.array([1.0, -2.0, 2.0])
    assert metrics.sliced_wasserstein(real, real + shift, directions=20_000) == pytest.approx(3 / np.sqrt(3), rel=0.02)
    assert metrics.sliced_wasserstein(real, real) == 0


# classes and modes


def test_the_class_score_is_one_for_one_class_and_their_number_for_sure_and_equal_ones() -> None:
    sure = np.eye(10)[np.arange(1_000) % 10]
    assert metrics.inception_score(sure, splits=10)[0] == pytest.approx(10)
    assert metrics.inception_score(np.full((1_000, 10), 0.1))[0] == pytest.approx(1)
    assert metrics.inception_score(np.eye(10)[np.zeros(1_000, int)])[0] == pytest.approx(1)


@pytest.mark.filterwarnings("ignore:Metric", "ignore:std")  # that it keeps features in memory, and that one split has no spread
def test_the_class_score_equals_torchmetrics() -> None:
    logits = 2 * normal(400, 7)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    judge = InceptionScore(feature=Flat(7), splits=1).set_dtype(torch.float64)
    judge.update(torch.from_numpy(logits))
    assert metrics.inception_score(probabilities, splits=1)[0] == pytest.approx(float(judge.compute()[0]), rel=1e-6)


def test_modes_are_counted_and_a_perfect_sampler_meets_the_floor() -> None:
    assert metrics.mode_scores(np.array([0, 0, 3, 3]), 4) == pytest.approx({"modes": 2, "kl": np.log(2), "kl_floor": 3 / 8})
    found = metrics.mode_scores(np.random.default_rng(0).integers(1_000, size=26_000), 1_000)
    assert found["modes"] == 1_000
    assert found["kl"] == pytest.approx(found["kl_floor"], rel=0.15)


# memory


def test_a_generator_that_remembers_is_told_from_one_that_learnt() -> None:
    train, held_out, learnt = normal(500, 4), normal(500, 4, 1), normal(800, 4, 2)
    remembered = train[np.random.default_rng(0).integers(500, size=800)] + 0.01 * normal(800, 4, 3)
    fair, cheat = (metrics.memorisation_scores(train, held_out, fakes) for fakes in (learnt, remembered))
    assert abs(fair["nearer_to_train"][0] - 0.5) < 3 * fair["nearer_to_train"][1]
    assert fair["distance_ratio"][0] == pytest.approx(1, abs=0.1)
    assert cheat["nearer_to_train"][0] > 0.95
    assert cheat["distance_ratio"][0] < 0.2


def test_a_larger_training_set_alone_is_not_memory() -> None:
    found = metrics.memorisation_scores(normal(5_000, 4), normal(500, 4, 1), normal(800, 4, 2))
    assert abs(found["nearer_to_train"][0] - 0.5) < 3 * found["nearer_to_train"][1]


def test_exact_copies_are_counted_to_the_last_bit() -> None:
    train = np.random.default_rng(0).integers(0, 256, (20, 1, 4, 4), dtype=np.uint8)
    fake = train[[3, 3, 7]].copy()
    fake[2, 0, 0, 0] ^= 1
    assert metrics.exact_copies(train, fake) == 2


# all of them


def test_the_bootstrap_knows_the_error_of_a_mean() -> None:
    samples = normal(400, 1)
    assert metrics.bootstrap_error(lambda drawn: float(drawn.mean()), samples, draws=400) == pytest.approx(1 / 20, rel=0.15)
    low, high = metrics.interval(1.0, 0.5)
    assert (low, high) == pytest.approx((1 - 0.98, 1 + 0.98), rel=1e-3)


PAIRS = {
    "frechet": metrics.frechet_distance,
    "infinity": metrics.frechet_infinity,
    "kernel": lambda real, fake: metrics.kernel_distance(real, fake)[0],
    "neighbours": lambda real, fake: metrics.neighbour_scores(real, fake)["density"][0],
    "sliced": metrics.sliced_wasserstein,
}


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "infinity"])
def test_the_order_of_samples_makes_no_difference(name: str) -> None:
    real, fake = mixed(200, 6), mixed(150, 6, 1)
    shuffle = np.random.default_rng(0).permutation
    assert PAIRS[name](shuffle(real), shuffle(fake)) == pytest.approx(PAIRS[name](real, fake), rel=1e-9)


@pytest.mark.parametrize("name", PAIRS)
def test_features_that_cannot_be_compared_are_refused_in_a_line(name: str) -> None:
    with pytest.raises(FeaturesError, match="take both from one network"):
        PAIRS[name](normal(2 * GROUPS, 3), normal(2 * GROUPS, 4))
    with pytest.raises(FeaturesError, match="not finite"):
        PAIRS[name](normal(2 * GROUPS, 3), np.full((2 * GROUPS, 3), np.nan))
    with pytest.raises(FeaturesError, match="N, D"):
        PAIRS[name](normal(2 * GROUPS, 3), np.zeros(3))
