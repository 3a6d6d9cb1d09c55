"""The convolutional pairs of the classic tutorials, to the last number (docs/classics.md names the sources)."""

from dataclasses import dataclass

from torch import nn

from mulligan.errors import RecipeError
from mulligan.networks.layers import Init, NormalWeights, PaddleFluid, TorchDefault
from mulligan.parts import Shape


@dataclass(frozen=True)
class StridedGenerator:
    """CNTK tutorial 206B: dense, dense, two transposed convolutions, sigmoid. (N, latents) -> (N, 1, 28, 28).

    Its norm after the second dense layer is per channel of the 7 x 7 map (`map_rank=1`).
    """

    init: Init = NormalWeights(0.02)

    def build(self, latents: int, shape: Shape) -> nn.Module:
        require(shape, (1, 28, 28), "strided-generator", "makes")
        return self.init.apply(
            nn.Sequential(
                *normed_dense(latents, 1024),
                nn.Linear(1024, 128 * 7 * 7),
                nn.Unflatten(1, (128, 7, 7)),
                nn.BatchNorm2d(128),
                nn.ReLU(),
                doubling(128, 128),
                nn.BatchNorm2d(128),
                nn.ReLU(),
                doubling(128, 1),
                nn.Sigmoid(),
            )
        )


@dataclass(frozen=True)
class StridedDiscriminator:
    """CNTK tutorial 206B: (N, 1, 28, 28) -> 1 x 12 x 12 -> 64 x 4 x 4 -> 1024 -> logits.

    The first convolution has a single channel, and none is padded: both as in the source.
    """

    init: Init = NormalWeights(0.02)

    def build(self, shape: Shape, logits: int) -> nn.Module:
        require(shape, (1, 28, 28), "strided-discriminator", "sees")
        return self.init.apply(
            nn.Sequential(
                nn.Conv2d(1, 1, 5, stride=2),
                nn.BatchNorm2d(1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(1, 64, 5, stride=2),
                nn.BatchNorm2d(64),
                nn.LeakyReLU(0.2),
                nn.Flatten(),
                nn.Linear(64 * 4 * 4, 1024),
                nn.BatchNorm1d(1024),
                nn.LeakyReLU(0.2),
                nn.Linear(1024, logits),
            )
        )


@dataclass(frozen=True)
class PooledGenerator:
    """PaddlePaddle Fluid book, chapter 9: two normed dense layers, two plain transposed convolutions, tanh.

    (N, latents) -> (N, 1, 28, 28). Its norm after the second dense layer is per unit, before the reshape.
    """

    init: Init = PaddleFluid()

    def build(self, latents: int, shape: Shape) -> nn.Module:
        require(shape, (1, 28, 28), "pooled-generator", "makes")
        return self.init.apply(
            nn.Sequential(
                *normed_dense(latents, 2048),
                *normed_dense(2048, 128 * 7 * 7),
                nn.Unflatten(1, (128, 7, 7)),
                doubling(128, 128),
                nn.ReLU(),
                doubling(128, 1),
                nn.Tanh(),
            )
        )


@dataclass(frozen=True)
class PooledDiscriminator:
    """PaddlePaddle Fluid book, chapter 9: (N, 1, 28, 28) -> 64 x 12 x 12 -> 128 x 4 x 4 -> 1024 -> logits.

    `slope` 0.02 is Fluid's default. `second_sigmoid` brings back the source's bug: a sigmoid in front of the sigmoid cross
    entropy, so that what the loss takes for a logit lies between 0 and 1.
    """

    slope: float = 0.02
    second_sigmoid: bool = False
    init: Init = PaddleFluid()

    def build(self, shape: Shape, logits: int) -> nn.Module:
        require(shape, (1, 28, 28), "pooled-discriminator", "sees")
        net = nn.Sequential(
            nn.Conv2d(1, 64, 5),
            nn.MaxPool2d(2),
            nn.LeakyReLU(self.slope),
            nn.Conv2d(64, 128, 5),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(self.slope),
            nn.Flatten(),
            nn.Linear(128 * 4 * 4, 1024),
            nn.BatchNorm1d(1024),
            nn.LeakyReLU(self.slope),
            nn.Linear(1024, logits),
        )
        if self.second_sigmoid:
            net.append(nn.Sigmoid())
        return self.init.apply(net)


@dataclass(frozen=True)
class FacesGenerator:
    """The faces tutorial: one dense layer to twice the size, three convolutions down. (N, latents) -> (N, 3, H, W).

    Almost all of its weights sit in that dense layer: 55.8 million of 56 million at 96 x 96.
    """

    init: Init = TorchDefault()

    def build(self, latents: int, shape: Shape) -> nn.Module:
        if len(shape) != 3:
            raise RecipeError(f"generator=faces-generator makes images (C, H, W), not {shape}; choose mlp-generator for points")
        channels, height, width = shape
        return self.init.apply(
            nn.Sequential(
                nn.Linear(latents, 15 * 4 * height * width),
                nn.Unflatten(1, (15, 2 * height, 2 * width)),
                nn.BatchNorm2d(15),
                nn.ReLU(),
                nn.Conv2d(15, 50, 3, padding=1),
                nn.BatchNorm2d(50),
                nn.ReLU(),
                nn.Conv2d(50, 25, 3, padding=1),
                nn.BatchNorm2d(25),
                nn.ReLU(),
                nn.Conv2d(25, channels, 2, stride=2),
                nn.Tanh(),
            )
        )


@dataclass(frozen=True)
class FacesDiscriminator:
    """The faces tutorial: (N, 3, 96, 96) -> 32 x 48 x 48 -> 64 x 16 x 16 -> 1024 -> logits."""

    init: Init = TorchDefault()

    def build(self, shape: Shape, logits: int) -> nn.Module:
        if len(shape) != 3 or min(shape[1:]) < 8:
            raise RecipeError(f"discriminator=faces-discriminator sees images (C, H, W) of at least 8 pixels, not {shape}")
        channels, height, width = shape
        # the second pool has window 2 and stride 3, so it drops every third row and column
        rows, columns = ((side // 2 - 2) // 3 + 1 for side in (height, width))
        return self.init.apply(
            nn.Sequential(
                nn.Conv2d(channels, 32, 5, padding=2),
                nn.LeakyReLU(0.2),
                nn.AvgPool2d(2, stride=2),
                nn.Conv2d(32, 64, 5, padding=2),
                nn.LeakyReLU(0.2),
                nn.AvgPool2d(2, stride=3),
                nn.Flatten(),
                nn.Linear(64 * rows * columns, 1024),
                nn.LeakyReLU(0.2),
                nn.Linear(1024, logits),
            )
        )


def normed_dense(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]


def doubling(inputs: int, outputs: int) -> nn.Module:
    """A transposed convolution 5 x 5 that doubles the side."""
    return nn.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1)


def require(shape: Shape, expected: Shape, name: str, verb: str) -> None:
    if shape != expected:
        role = name.rsplit("-", 1)[1]
        raise RecipeError(
            f"{role}={name} {verb} samples of shape {expected} and was asked for {shape}; choose data and image_size to match, "
            f"or another {role} such as dcgan-{role}"
        )
