"""Numbers that change while a run goes on, as functions of its progress (0 at the start, 1 at the end).

Progress is the share of the recipe's images already seen, so a shorter run (`--images`) still ends its schedule. It is a number,
or a () tensor where a step is recorded once and played many times; then so is the value.
"""

import math
from dataclasses import dataclass
from typing import overload

from torch import Tensor

from mulligan.parts import Progress


@dataclass(frozen=True)
class Linear:
    """From `start` to `end` in a straight line between two shares of the run; constant before and after."""

    start: float
    end: float
    begins: float = 0.0
    ends: float = 1.0

    def __call__(self, progress: Progress) -> Progress:
        return self.start + (self.end - self.start) * _share(progress, self.begins, self.ends)


@dataclass(frozen=True)
class Cosine:
    """From `start` to `end` along half a cosine wave, as R3GAN's burn-in (arXiv:2501.05441, appendix D)."""

    start: float
    end: float
    begins: float = 0.0
    ends: float = 1.0

    def __call__(self, progress: Progress) -> Progress:
        angle = math.pi * _share(progress, self.begins, self.ends)
        wave = angle.cos() if isinstance(angle, Tensor) else math.cos(angle)
        return self.end + (self.start - self.end) * 0.5 * (1 + wave)


Schedule = float | Linear | Cosine


@overload
def value_at(schedule: Schedule, progress: float) -> float: ...
@overload
def value_at(schedule: Schedule, progress: Progress) -> Progress: ...
def value_at(schedule: Schedule, progress: Progress) -> Progress:
    """The schedule's value at a progress in [0, 1]; a plain number is its own value everywhere."""
    return schedule(progress) if callable(schedule) else float(schedule)


def _share(progress: Progress, begins: float, ends: float) -> Progress:
    if isinstance(progress, Tensor):
        return ((progress - begins) / (ends - begins)).clamp(0, 1) if ends > begins else (progress >= ends).float()
    if ends <= begins:
        return float(progress >= ends)
    return min(max((progress - begins) / (ends - begins), 0.0), 1.0)


def crossed(every: int, before: int, after: int) -> bool:
    """Whether a multiple of `every` above 0 lies in (before, after]."""
    return after > 0 and after // every > max(before, 0) // every
