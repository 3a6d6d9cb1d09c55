"""Stacked MNIST: three digits as the colours of one image, so that a thousand modes are known by name (arXiv:1611.02163)."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch

from mulligan.data.digits import Mnist
from mulligan.data.images import image_dataset
from mulligan.data.points import check_count
from mulligan.errors import DataError
from mulligan.metrics import mode_scores
from mulligan.parts import Dataset

MODES = 1_000
MOST_STACKS = 2_000_000  # 4.7 GB


@dataclass(frozen=True)
class StackedMnist:
    """`count` fixed stacks (3, 28, 28), each channel a digit drawn at random; the label is its three digits as a number."""

    count: int = 128_000
    digits: Literal["train", "all"] = "train"  # which of MNIST's images are stacked
    data_seed: int = 0

    def load(self, size: int | None) -> Dataset:
        check_count(self.count)
        if self.count > MOST_STACKS:
            raise DataError(f"data has count={self.count:,} stacks; use {MOST_STACKS:,} or fewer")
        parts = [Mnist("train").load(None)] + ([Mnist("test").load(None)] if self.digits == "all" else [])
        images = torch.cat([part.items[:, 0] for part in parts])
        labels = torch.cat([part.labels for part in parts if part.labels is not None])
        chosen = torch.from_numpy(np.random.default_rng(self.data_seed).integers(len(images), size=(self.count, 3)))
        which = labels[chosen] @ torch.tensor([100, 10, 1])
        stacks = image_dataset(images[chosen], size, which, tuple(f"{number:03d}" for number in range(MODES)))
        return replace(stacks, truth=StackedModes())

    def test_split(self) -> "StackedMnist":
        """Other stacks, as many as are scored."""
        return replace(self, count=26_000, data_seed=self.data_seed + 1)


class StackedModes:
    """Which of the thousand stacks a generator makes, by a classifier of single digits."""

    def scores(self, samples: np.ndarray) -> dict[str, float]:
        """uint8 (N, 3, H, W) -> `modes` that occur, `kl` of their shares against equal ones in nats, and its floor (999 / 2N).

        `sure_modes` counts only stacks of which each digit is seen with more than 99 % confidence.
        """
        stacks = torch.from_numpy(np.ascontiguousarray(samples))
        features = self.classifier(stacks.flatten(0, 1)[:, None])
        chances = self.classifier.probabilities(features).reshape(-1, 3, 10)
        which = chances.argmax(2) @ np.array([100, 10, 1])
        sure = (chances.max(2) > 0.99).all(1)
        return mode_scores(which, MODES) | {"sure_modes": float(len(np.unique(which[sure])))}

    @cached_property
    def classifier(self) -> Any:
        from mulligan.features import Classifier  # which itself looks at data: not before it is needed

        return Classifier().open(Mnist("train").load(None), torch.device("cpu"))
