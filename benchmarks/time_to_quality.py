"""Quality over time: python benchmarks/time_to_quality.py [RECIPE ...] [--minutes M] [--scores 12]

Trains each recipe in turn on one thread, stops it at moments that lie ever further apart, scores it, and goes on: the
classifier-feature Fréchet distance of 5,000 fakes against as many test digits at 28 x 28, over the seconds of training alone. A
recipe ends at its published length or after M minutes. Kept in benchmarks/results/time-to-quality.json, drawn as
docs/pictures/time-to-quality.png (needs matplotlib, the extra `plots`).
"""

import argparse
import itertools
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import mulligan
from mulligan.api import Run
from mulligan.data import Mnist
from mulligan.data.images import fit_square
from mulligan.errors import TimeUp
from mulligan.evaluate import chosen
from mulligan.features import Classifier
from mulligan.metrics import FrechetTo, Gaussian

HERE = Path(__file__).parent
RESULT = HERE / "results" / "time-to-quality.json"
PICTURE = HERE.parent / "docs" / "pictures" / "time-to-quality.png"
RECIPES = ("mnist", "mnist-mlp", "mnist-dcgan-pooled", "mnist-dcgan-strided")
COUNT = 5_000
FIRST = 5.0  # seconds of training before the first score


class Ruler:
    """Distances of digits to the test images."""

    def __init__(self) -> None:
        train, test = Mnist().load(None), Mnist("test").load(None)
        self.features = Classifier().open(train, torch.device("cpu"))
        self.distance = FrechetTo(Gaussian.of(self.features(chosen(test.items, COUNT))))

    def __call__(self, images: Tensor) -> float:
        small = images if images.shape[-1] == 28 else fit_square(images, 28)
        return self.distance(Gaussian.of(self.features(small)))


def follow(name: str, ruler: Ruler, minutes: float, scores: int) -> list[dict[str, float]]:
    """Train a recipe in stretches, with a score after each."""
    recipe = mulligan.named(name).with_(threads=1, sample_every_images=10**12, checkpoint_every_images=10**12)
    points: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        for before, until in itertools.pairwise([0.0, *np.geomspace(FIRST, 60 * minutes, scores)]):
            hours = (until - before) / 3600
            try:
                run, ended = (
                    mulligan.resume(path, max_hours=hours) if points else mulligan.train(recipe, run=path, max_hours=hours),
                    True,
                )
            except TimeUp:
                run, ended = Run(path, recipe), False
            facts = run.folder.newest_checkpoint()[1]
            fd = ruler(run.model().stored_samples(COUNT))
            points.append({"seconds": round(facts["seconds"], 1), "images": facts["images_seen"], "fd": round(fd, 3)})
            print(f"{points[-1]['images']:>12,} images {points[-1]['seconds']:>9.0f} s   FD {fd:.2f}", flush=True)
            if ended:
                break
    return points


def draw(results: dict[str, list[dict[str, float]]]) -> None:
    from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports]

    figure = Figure((7.2, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, points in results.items():
        axes.loglog([point["seconds"] for point in points], [point["fd"] for point in points], marker="o", markersize=3, label=name)
    axes.set(
        xlabel="seconds of training, one thread", ylabel="Fréchet distance, classifier features", title="MNIST: quality over time"
    )
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    figure.savefig(PICTURE, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=RECIPES)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--scores", type=int, default=12)
    options = parser.parse_args()
    torch.set_num_threads(1)
    ruler = Ruler()
    results = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for name in options.recipes:
        print(name, flush=True)
        results[name] = follow(name, ruler, options.minutes, options.scores)
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(results, indent=1) + "\n")
    draw(results)


if __name__ == "__main__":
    main()
