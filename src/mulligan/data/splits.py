"""What is trained on, and what is kept back so that scores are measured on samples that were never seen."""

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mulligan.parts import Dataset, Source

MOST_HELD_OUT = 10_000  # samples: scores need no more


def load_train(source: Source, size: int | None, share: float) -> Dataset:
    """The samples to train on: all, or what is left when the source has no test split and a share is kept back."""
    if own_test_split(source) is not None:
        return source.load(size)
    return parted(source.load(size), share)[0]


def load_both(source: Source, size: int | None, share: float) -> tuple[Dataset, Dataset | None]:
    """The samples to train on, and those that are not: the source's own test split, or a fixed share; None when that is nothing."""
    own = own_test_split(source)
    return (source.load(size), own.load(size)) if own is not None else parted(source.load(size), share)


def own_test_split(source: Any) -> Any:
    """The source of the data's own test split, `test_split()`, of those that have one; else None."""
    return source.test_split() if hasattr(source, "test_split") else None


def parted(data: Dataset, share: float) -> tuple[Dataset, Dataset | None]:
    """Always the same samples are held out of the same data, whatever the run's seed."""
    held_out = min(int(len(data) * share), MOST_HELD_OUT)
    if held_out == 0:
        return data, None
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(data)))
    train = dataclasses.replace(subset(data, order[held_out:].sort().values), held_out=held_out)
    return train, subset(data, order[:held_out].sort().values)


def subset(data: Dataset, chosen: Tensor) -> Dataset:
    """Some samples of a data set, with their labels and names."""
    return dataclasses.replace(
        data,
        items=data.items[chosen],
        labels=None if data.labels is None else data.labels[chosen],
        names=tuple(data.names[position] for position in chosen.tolist()) if data.names else (),
    )
