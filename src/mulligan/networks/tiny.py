"""The tiny pair that Unrolled GAN (arXiv:1611.02163) and PacGAN (arXiv:1712.04086) made Stacked MNIST hard with.

For 28 x 28 pixels. The sizes are theirs: the discriminator's channels are a quarter or a half of the generator's. Norms can be
left out of the discriminator.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from mulligan.errors import RecipeError
from mulligan.networks.layers import Init, Output, TorchDefault, output
from mulligan.parts import Shape

SIDE = 28


@dataclass(frozen=True)
class TinyGenerator:
    """(N, latents) -> 4x4x64 -> 7x7x32 -> 14x14x16 -> 28x28x8, 3x3 transposed convolutions, batch norm, ReLU -> (N, C, 28, 28)."""

    output: Output = "tanh"
    init: Init = TorchDefault()

    def build(self, latents: int, shape: Shape) -> nn.Module:
        check_side(shape, "generator=tiny-generator")
        layers: list[nn.Module] = [nn.Linear(latents, 1024), nn.Unflatten(1, (64, 4, 4)), nn.BatchNorm2d(64), nn.ReLU()]
        for before, after, missing in ((64, 32, 0), (32, 16, 1), (16, 8, 1)):
            wider = nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=missing)
            layers += [wider, nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.Conv2d(8, shape[0], 3, padding=1), output(self.output)]
        return self.init.apply(nn.Sequential(*layers))


@dataclass(frozen=True)
class TinyDiscriminator:
    """(N, C, 28, 28) -> 3x3 convolutions with stride 2, `width`, 2 `width` and 4 `width` channels, LeakyReLU -> (N, logits).

    `width` 2 is a quarter of the generator's channels, 4 a half.
    """

    width: int = 2
    norm: bool = False
    slope: float = 0.3
    init: Init = TorchDefault()

    def build(self, shape: Shape, logits: int) -> nn.Module:
        check_side(shape, "discriminator=tiny-discriminator")
        layers: list[nn.Module] = []
        for before, after in pairwise((shape[0], self.width, 2 * self.width, 4 * self.width)):
            norm = [nn.BatchNorm2d(after)] if self.norm else []
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), *norm, nn.LeakyReLU(self.slope)]
        return self.init.apply(nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * self.width * 16, logits)))


def check_side(shape: Shape, who: str) -> None:
    if len(shape) != 3 or shape[1:] != (SIDE, SIDE):
        raise RecipeError(
            f"{who} works on images of {SIDE} x {SIDE} pixels, not on samples of shape {shape}; use --image-size {SIDE}"
        )
