"""Our own small convolutional pair: DCGAN's generator (arXiv:1511.06434) against a discriminator without any normalisation.

The generator's batch norm makes the first minutes fast; the discriminator has none, so penalties on its gradient mean what they
say and real and fake can share one pass. Works at every size that halves to a map of 4 to 7 pixels: 28, 32, 64, 96, 128 ...
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from mulligan.errors import RecipeError
from mulligan.networks.layers import InFloat32, Init, Output, TorchDefault, output
from mulligan.parts import Shape

WIDEST = 8  # times `width`: where doubling the channels stops


@dataclass(frozen=True)
class DcganGenerator:
    """(N, latents) -> dense -> transposed convolutions with batch norm and ReLU -> (N, C, H, W).

    `width` is the number of channels before the last layer; it doubles at each coarser map.
    """

    width: int = 32
    output: Output = "tanh"
    init: Init = TorchDefault()

    def build(self, latents: int, shape: Shape) -> nn.Module:
        halvings, height, width = coarsest_map(shape, "generator=dcgan-generator")
        channels = channel_ladder(self.width, halvings)[::-1]
        first = channels[0]
        layers: list[nn.Module] = [
            nn.Linear(latents, first * height * width),
            nn.Unflatten(1, (first, height, width)),
            nn.BatchNorm2d(first),
            nn.ReLU(),
        ]
        for before, after in pairwise(channels):
            layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        layers.append(InFloat32(nn.ConvTranspose2d(channels[-1], shape[0], 4, stride=2, padding=1), output(self.output)))
        return self.init.apply(nn.Sequential(*layers))


@dataclass(frozen=True)
class DcganDiscriminator:
    """(N, C, H, W) -> strided convolutions with LeakyReLU -> (N, logits). No normalisation."""

    width: int = 32
    slope: float = 0.2
    init: Init = TorchDefault()

    def build(self, shape: Shape, logits: int) -> nn.Module:
        halvings, height, width = coarsest_map(shape, "discriminator=dcgan-discriminator")
        channels = [shape[0], *channel_ladder(self.width, halvings)]
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(self.slope)]
        layers += [nn.Flatten(), InFloat32(nn.Linear(channels[-1] * height * width, logits))]
        return self.init.apply(nn.Sequential(*layers))


def channel_ladder(width: int, halvings: int) -> list[int]:
    """Channels from the finest map to the coarsest."""
    return [width * min(2**level, WIDEST) for level in range(halvings)]


def coarsest_map(shape: Shape, who: str) -> tuple[int, int, int]:
    """(C, H, W) -> how often both sides halve until the shorter is 4 to 7 pixels, and the sides then."""
    if len(shape) != 3:
        raise RecipeError(f"{who} works on images (C, H, W), not on samples of shape {shape}; choose the mlp pair for points")
    _, height, width = shape
    halvings = 0
    while min(height, width) > 7 and height % 2 == 0 and width % 2 == 0:
        height, width, halvings = height // 2, width // 2, halvings + 1
    if halvings == 0 or not 4 <= min(height, width) <= 7:
        raise RecipeError(
            f"{who} cannot work at {shape[1]} x {shape[2]} pixels: the sides must halve evenly down to 4, 5, 6 or 7; "
            f"use --image-size {nearest_size(min(shape[1:]))}"
        )
    return halvings, height, width


def nearest_size(side: int) -> int:
    """The closest side that `coarsest_map` accepts."""
    return min((base * 2**power for base in (4, 5, 6, 7) for power in range(1, 9)), key=lambda size: abs(size - side))
