"""Mode coverage of the 2-D recipes over seeds: python benchmarks/known_modes.py [ring grid] [--seeds N]

PacGAN's count on 2,500 samples of the averaged generator at the end of the run (never the best moment), beside a perfect sampler.
Published on the same data, after 400,000 steps (PacGAN4, arXiv:1712.04086, table 1): ring 7.8 modes, 95.9 %, 0.07; grid 24.8 modes,
93.6 %, 0.04.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import mulligan
from mulligan.api import load_data

SAMPLES = 2_500
NAMES = ("modes", "high_quality", "reverse_kl", "spread_ratio")


def measure(recipe: str, seed: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        chosen = mulligan.named(recipe).with_(seed=seed)
        quiet = chosen.with_(report_every_images=chosen.images, sample_every_images=chosen.images)
        samples = mulligan.train(quiet, run=Path(folder) / "run", device="cpu").sample(SAMPLES, seed=1)
    truth = load_data(chosen).truth
    assert truth is not None
    scores = truth.scores(samples.numpy())
    return [scores.get(name, float("nan")) for name in NAMES]


def line(name: str, values: np.ndarray) -> str:
    return f"{name:<18}" + "".join(f"{value:>14.4f}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", default=["ring", "grid"])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    print(f"{'':<18}" + "".join(f"{name:>14}" for name in NAMES))
    for recipe in options.recipes:
        data = load_data(mulligan.named(recipe))
        assert data.truth is not None
        perfect = data.truth.scores(data.items[:SAMPLES].numpy())
        print(line(f"{recipe} perfect", np.array([perfect[name] for name in NAMES])))
        started, rows = time.monotonic(), []
        for seed in range(options.seeds):
            rows.append(measure(recipe, seed))
            print(line(f"{recipe} seed {seed}", np.array(rows[-1])), flush=True)
        print(line(f"{recipe} mean", np.mean(rows, 0)))
        print(line(f"{recipe} std", np.std(rows, 0)), f"  {(time.monotonic() - started) / options.seeds:.0f} s each", flush=True)


if __name__ == "__main__":
    main()
