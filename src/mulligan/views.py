"""How the networks see the data: the one place where stored values and network values meet."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pixels:
    """Images: a stored 0 (black) is `low` for the networks, a stored 255 (white) is `high`."""

    low: float = -1.0
    high: float = 1.0

    def encode(self, stored: Tensor) -> Tensor:
        """uint8 (N, C, H, W) -> float32 in [low, high]."""
        return stored.float().mul_((self.high - self.low) / 255).add_(self.low)

    def normal(self, seen: Tensor) -> Tensor:
        """What a network made -> float32 in [-1, 1]; what lies outside is cut off (a tanh generator on [0, 1] data: black)."""
        return ((seen.float() - self.low) / (self.high - self.low)).clamp(0, 1) * 2 - 1

    def stored(self, normal: Tensor) -> Tensor:
        """float (N, C, H, W) in [-1, 1] -> uint8, as the data is stored."""
        return ((normal + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


@dataclass(frozen=True)
class Points:
    """Points: divided by `scale` before the networks see them."""

    scale: float = 1.0

    def encode(self, stored: Tensor) -> Tensor:
        """float32 (N, D) -> float32 (N, D)."""
        return stored / self.scale

    def normal(self, seen: Tensor) -> Tensor:
        """What a network made -> points in the units of the data."""
        return seen.float() * self.scale

    def stored(self, normal: Tensor) -> Tensor:
        return normal


View = Pixels | Points


def to_uint8(images: Tensor) -> Any:
    """float (N, C, H, W) in [-1, 1] -> uint8 array (N, H, W, C)."""
    return Pixels().stored(images).permute(0, 2, 3, 1).cpu().numpy()
