"""Whether a generator has learnt its training samples by heart."""

import hashlib

import numpy as np

from mulligan.metrics.neighbours import nearest


def memorisation_scores(train: np.ndarray, held_out: np.ndarray, fake: np.ndarray) -> dict[str, tuple[float, float]]:
    """Features of training samples, of as many real ones that were never trained on, and of fakes -> scores with standard errors.

    `nearer_to_train`: share of fakes whose nearest real sample is a training sample: 0.5 when none is remembered, 1 when all are
    (compare arXiv:2004.05675). `distance_ratio`: median distance to the training samples over that to the held-out ones, 1 when
    none is. Of both sets as many samples are taken as the smaller has: the nearest of more is nearer.
    """
    count = min(len(train), len(held_out))
    to_train, to_held_out = nearest(fake, train[:count]), nearest(fake, held_out[:count])
    nearer = (to_train < to_held_out) + 0.5 * (to_train == to_held_out)
    middles = np.median(to_train), np.median(to_held_out)
    ratio = float(middles[0] / max(middles[1], np.finfo(np.float64).tiny)) if middles[0] != middles[1] else 1.0
    spread = np.std(np.log(np.maximum(to_train, 1e-300)) - np.log(np.maximum(to_held_out, 1e-300)))
    return {
        "nearer_to_train": (float(nearer.mean()), float(nearer.std() / np.sqrt(len(fake)))),
        "distance_ratio": (ratio, float(1.2533 * ratio * spread / np.sqrt(len(fake)))),
    }


def exact_copies(train: np.ndarray, fake: np.ndarray) -> int:
    """How many fakes (M, ...) are some training sample (N, ...) to the last bit."""
    known = {digest(sample) for sample in train}
    return sum(digest(sample) in known for sample in fake)


def digest(sample: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(sample).tobytes(), digest_size=16).digest()
