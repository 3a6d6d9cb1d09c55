"""How well the Gaussian recipes fit, over seeds: python benchmarks/gaussian_fit.py [RECIPE ...] [--seeds N]

The generator is linear, so its distribution is known without sampling: mean = its bias, covariance = W W^T. Prints, for each seed,
the largest error of a coordinate's mean and the relative error of the covariance (Frobenius), against the truth and against the
1,000 points of the data set themselves.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from torch import nn

import mulligan
from mulligan.data import Gaussian

MEAN = np.array([1.0, 2.0])
A = np.array([[1.0, 2.0], [-0.1, 0.5]])


def errors(mean: np.ndarray, covariance: np.ndarray) -> tuple[float, float]:
    truth = A.T @ A
    return float(np.abs(mean - MEAN).max()), float(np.linalg.norm(covariance - truth) / np.linalg.norm(truth))


def fit(recipe: str, seed: int) -> tuple[float, float]:
    """Train once; the errors of the generator's exact distribution."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = mulligan.named(recipe).with_(seed=seed)
        quiet = chosen.with_(report_every_images=chosen.images, sample_every_images=chosen.images)
        model = mulligan.train(quiet, run=Path(folder) / "run", device="cpu").model()
    (linear,) = [layer for layer in model.net.modules() if isinstance(layer, nn.Linear)]
    scale = getattr(model.view, "scale", 1.0)
    weight, bias = linear.weight.double().numpy() * scale, linear.bias.double().numpy() * scale
    return errors(bias, weight @ weight.T)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", default=["gaussian", "gaussian-steady"])
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    points = Gaussian().load(None).items.double().numpy()
    print("the 1,000 points: mean error {:.3f}, covariance error {:.1%}".format(*errors(points.mean(0), np.cov(points.T))))
    for recipe in options.recipes:
        started, results = time.monotonic(), [fit(recipe, seed) for seed in range(options.seeds)]
        for seed, (mean, covariance) in enumerate(results):
            print(f"{recipe} seed {seed}: mean error {mean:.3f}, covariance error {covariance:.1%}")
        good = sum(mean <= 0.1 and covariance <= 0.1 for mean, covariance in results)
        seconds = (time.monotonic() - started) / options.seeds
        print(f"{recipe}: {good} of {options.seeds} within 0.1 and 10 %, {seconds:.0f} s each")


if __name__ == "__main__":
    main()
