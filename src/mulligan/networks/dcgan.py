"""Our own small convolutional pair: a DCGAN (arXiv:1511.06434) with batch norm in the generator and no norm in the discriminator.

The generator's norms make the first minutes fast; the discriminator has none, so penalties on its gradient mean what they say and
real and fake can share one pass. The finest step is a pixel shuffle (arXiv:1609.05158) on both sides: no convolution runs at full
size, where a CPU spends most of its time for one to four channels. Works at every size that halves evenly to 4 to 7 pixels: 28, 32,
64, 96, 128 ...
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
    """(N, latents) -> dense -> dense map -> transposed convolutions, batch norm and ReLU after each -> shuffle -> (N, C, H, W).

    `width` is the number of channels at half size; it doubles at each coarser map. `dense` is the width of the first layer.
    """

    width: int = 64
    dense: int = 256
    output: Output = "tanh"
    init: Init = TorchDefault()

    def build(self, latents: int, shape: Shape) -> nn.Module:
        halvings, height, width = coarsest_map(shape, "generator=dcgan-generator")
        channels = channel_ladder(self.width, halvings)[::-1]
        layers: list[nn.Module] = [
            nn.Linear(latents, self.dense),
            nn.BatchNorm1d(self.dense),
            nn.ReLU(),
            nn.Linear(self.dense, channels[0] * height * width),
            nn.Unflatten(1, (channels[0], height, width)),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(),
        ]
        for before, after in pairwise(channels):
            layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        last = nn.Conv2d(channels[-1], 4 * shape[0], 3, padding=1)
        return self.init.apply(nn.Sequential(*layers, InFloat32(last, nn.PixelShuffle(2), output(self.output))))


@dataclass(frozen=True)
class DcganDiscriminator:
    """(N, C, H, W) -> unshuffle -> convolution -> strided convolutions, LeakyReLU after each -> (N, logits). No normalisation.

    `width` is the number of channels at half size; it doubles at each coarser map, one more than the generator has.
    """

    width: int = 32
    slope: float = 0.2
    init: Init = TorchDefault()

    def build(self, shape: Shape, logits: int) -> nn.Module:
        halvings, height, width = coarsest_map(shape, "discriminator=dcgan-discriminator")
        channels = channel_ladder(self.width, halvings + 1)
        layers: list[nn.Module] = [
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * shape[0], channels[0], 3, padding=1),
            nn.LeakyReLU(self.slope),
        ]
        for before, after in pairwise(channels[:-1]):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(self.slope)]
        layers += [nn.Conv2d(channels[-2], channels[-1], 3, stride=2, padding=1), nn.LeakyReLU(self.slope), nn.Flatten()]
        features = channels[-1] * ((height + 1) // 2) * ((width + 1) // 2)
        return self.init.apply(nn.Sequential(*layers, InFloat32(nn.Linear(features, logits))))


def channel_ladder(width: int, halvings: int) -> list[int]:
    """Channels from the map at half size to the coarsest."""
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
