"""Numbers that change while a run goes on, as functions of its progress (0 at the start, 1 at the end).

Progress is the share of the recipe's images already seen, so a shorter run (`--images`) still ends its schedule.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Linear:
    """From `start` to `end` in a straight line between two shares of the run; constant before and after."""

    start: float
    end: float
    begins: float = 0.0
    ends: float = 1.0

    def __call__(self, progress: float) -> float:
        return self.start + (self.end - self.start) * _share(progress, self.begins, self.ends)


@dataclass(frozen=True)
class Cosine:
    """From `start` to `end` along half a cosine wave, as R3GAN's burn-in (arXiv:2501.05441, appendix D)."""

    start: float
    end: float
    begins: float = 0.0
    ends: float = 1.0

    def __call__(self, progress: float) -> float:
        share = _share(progress, self.begins, self.ends)
        return self.end + (self.start - self.end) * 0.5 * (1 + math.cos(math.pi * share))


Schedule = float | Linear | Cosine


def value_at(schedule: Schedule, progress: float) -> float:
    """The schedule's value at a progress in [0, 1]; a plain number is its own value everywhere."""
    return schedule(progress) if callable(schedule) else float(schedule)


def _share(progress: float, begins: float, ends: float) -> float:
    if ends <= begins:
        return float(progress >= ends)
    return min(max((progress - begins) / (ends - begins), 0.0), 1.0)


def crossed(every: int, before: int, after: int) -> bool:
    """Whether a multiple of `every` above 0 lies in (before, after]."""
    return after > 0 and after // every > max(before, 0) // every
