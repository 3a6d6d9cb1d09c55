"""Where the generator starts from: random rows, drawn by NumPy so that a seed means the same on every device.

The first rows drawn from a seed do not depend on how many are drawn: image 7 of seed 0 is the same among 8 or 8,000.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mulligan.errors import RecipeError

LARGEST_MIXTURE = 100_000_000  # coordinates of all centres together


@dataclass(frozen=True)
class Normal:
    """Standard normal, independent per coordinate."""

    size: int = 64

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        return rng.standard_normal((count, self.size), dtype=np.float32)


@dataclass(frozen=True)
class Uniform:
    """Uniform between -1 and 1, independent per coordinate."""

    size: int = 100

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        return rng.random((count, self.size), dtype=np.float32) * 2 - 1


@dataclass(frozen=True)
class NormalMixture:
    """Normals of width `width` around `centres` fixed points, themselves drawn from a standard normal with `centres_seed`.

    A mixture lets a smooth generator make separate modes without a bridge between them (compare arXiv:1706.02071).
    """

    size: int = 2
    centres: int = 100
    width: float = 0.1
    centres_seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.centres * self.size <= LARGEST_MIXTURE:
            held = f"{self.centres:,} centres of size {self.size:,}"
            raise RecipeError(f"latents=normal-mixture has {held}; use at least one and {LARGEST_MIXTURE:,} numbers at most")

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        centres = fixed_centres(self.centres, self.size, self.centres_seed)
        which_rng, noise_rng = rng.spawn(2)  # one stream each, so that the first rows do not depend on the count
        which = (which_rng.random(count) * self.centres).astype(np.int64)
        return centres[which] + np.float32(self.width) * noise_rng.standard_normal((count, self.size), dtype=np.float32)


@lru_cache(maxsize=4)
def fixed_centres(count: int, size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, size), dtype=np.float32)


LatentsSpec = Normal | Uniform | NormalMixture
