"""What every score asks of its features."""

import numpy as np

from mulligan.errors import FeaturesError


def check_pair(real: np.ndarray, fake: np.ndarray, least: int = 2) -> None:
    """FeaturesError unless both are (N, D) of one D, finite, with `least` rows or more."""
    for name, features in (("real", real), ("fake", fake)):
        if features.ndim != 2 or len(features) < least:
            raise FeaturesError(f"{name} features have shape {features.shape}; a score needs (N, D) with N of {least} or more")
        if not np.isfinite(features).all():
            raise FeaturesError(f"{name} features hold numbers that are not finite; look at the samples they come from")
    if real.shape[1] != fake.shape[1]:
        raise FeaturesError(
            f"real features have {real.shape[1]} numbers each and fake ones {fake.shape[1]}; take both from one network"
        )
