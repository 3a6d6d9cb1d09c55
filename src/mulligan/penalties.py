"""Prices for a steep discriminator: one value per sample, added to what it minimises.

Each is called with a `Look` and sees real and fake samples, their logits and the gradients there. `every` above 1 applies a
penalty lazily, that many times as strongly (arXiv:1912.04958, appendix B): cheaper, and on small problems much worse.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mulligan.parts import Look
from mulligan.schedules import Schedule, value_at


@dataclass(frozen=True)
class R1:
    """gamma/2 |grad D(x)|^2 at real samples (arXiv:1801.04406, equation 9)."""

    gamma: Schedule = 1.0
    every: int = 1
    name: ClassVar[str] = "r1"
    sides: ClassVar[tuple[str, ...]] = ("real",)

    def __call__(self, look: Look) -> Tensor:
        return value_at(self.gamma, look.progress) / 2 * squared_norm(look.real_gradient)


@dataclass(frozen=True)
class R2:
    """gamma/2 |grad D(x)|^2 at fake samples (arXiv:1801.04406, equation 10)."""

    gamma: Schedule = 1.0
    every: int = 1
    name: ClassVar[str] = "r2"
    sides: ClassVar[tuple[str, ...]] = ("fake",)

    def __call__(self, look: Look) -> Tensor:
        return value_at(self.gamma, look.progress) / 2 * squared_norm(look.fake_gradient)


@dataclass(frozen=True)
class GradientPenalty:
    """weight (|grad D(x)| - 1)^2 at random points between a real and a fake sample (WGAN-GP, arXiv:1704.00028, equation 3)."""

    weight: Schedule = 10.0
    every: int = 1
    name: ClassVar[str] = "gradient_penalty"
    sides: ClassVar[tuple[str, ...]] = ()

    def __call__(self, look: Look) -> Tensor:
        share = torch.rand(len(look.real), *[1] * (look.real.dim() - 1), device=look.real.device)
        between = torch.lerp(look.real.detach(), look.fake.detach(), share).requires_grad_()
        gradient = look.gradient(look.score(between), between)
        # the norm has no gradient at 0: a floor far below the target of 1 keeps it finite there
        norm = squared_norm(gradient).clamp_min(NORM_FLOOR**2).sqrt()
        return value_at(self.weight, look.progress) * (norm - 1).square()


NORM_FLOOR = 1e-6

Penalty = R1 | R2 | GradientPenalty


def squared_norm(gradient: Tensor) -> Tensor:
    """(N, ...) -> (N,): the sum of squares of each sample."""
    return gradient.square().flatten(1).sum(1)
