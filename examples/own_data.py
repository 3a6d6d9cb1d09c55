"""Your own array of images: write it down, train on it, take the samples out again.

Run it: python examples/own_data.py
"""

from pathlib import Path

import numpy as np

import mulligan
from mulligan.data import ArrayFile


def discs(count: int, side: int = 16) -> np.ndarray:
    """(count, side, side) uint8: white discs of random place and size on black."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:side, :side]
    middle = rng.uniform(5, side - 5, (count, 2, 1, 1))
    radius = rng.uniform(2, 5, (count, 1, 1))
    distance = np.hypot(rows - middle[:, 0], columns - middle[:, 1])
    return (255 * (distance < radius)).astype(np.uint8)


def main(folder: Path, images: int = 60_000) -> np.ndarray:
    """(16, 1, 16, 16) floats in [-1, 1]: sixteen discs that never were."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "discs.npy", discs(2_000))
    run = mulligan.train("mnist", data=ArrayFile(str(folder / "discs.npy")), images=images, run=folder / "run")
    return run.sample(16, seed=1).numpy()


if __name__ == "__main__":
    main(Path("runs/own-data"))
