"""Features of your own: any module or function is a ruler, and two runs measured with it can be compared.

Run it: python examples/own_features.py
"""

from pathlib import Path

import torch
from torch import Tensor

import mulligan
from mulligan.evaluate import Evaluation


def ink(images: Tensor) -> Tensor:  # (N, C, H, W) in [-1, 1] -> (N, 2 H): how much of each row is drawn on, and how evenly
    rows = (images.mean(1) + 1) / 2
    return torch.cat([rows.mean(2), rows.std(2)], 1)


def main(folder: Path, images: int = 60_000, n: int = 2_000) -> Evaluation:
    """Train digits for a minute or two and measure their ink against the test digits."""
    run = mulligan.train("mnist", images=images, run=folder)
    scores = run.evaluate(n, features=ink, metrics=("fd", "kid", "pr"))
    for name, score in scores.items():
        print(f"{name:<10} {score.value:8.4f}   real against real {score.floor:8.4f}")
    return scores


if __name__ == "__main__":
    main(Path("runs/own-features"))
