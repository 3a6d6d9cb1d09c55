"""Fully connected pairs: for points, and for images as the first tutorials did them."""

import math
from dataclasses import dataclass

from torch import nn

from mulligan.networks.layers import Activation, Init, Output, TorchDefault, activation, output
from mulligan.parts import Shape


@dataclass(frozen=True)
class MlpGenerator:
    """(N, latents) -> hidden layers -> (N, *shape). No hidden layer at all makes it linear."""

    hidden: tuple[int, ...] = (256, 512)
    activation: Activation = "relu"
    slope: float = 0.2
    output: Output = "tanh"
    init: Init = TorchDefault()

    def build(self, latents: int, shape: Shape) -> nn.Module:
        body = dense_layers(latents, (*self.hidden, math.prod(shape)), self.activation, self.slope)
        return self.init.apply(nn.Sequential(*body, output(self.output), nn.Unflatten(1, shape)))


@dataclass(frozen=True)
class MlpDiscriminator:
    """(N, *shape) -> hidden layers -> (N, logits)."""

    hidden: tuple[int, ...] = (512, 256)
    activation: Activation = "leaky-relu"
    slope: float = 0.2
    init: Init = TorchDefault()

    def build(self, shape: Shape, logits: int) -> nn.Module:
        body = dense_layers(math.prod(shape), (*self.hidden, logits), self.activation, self.slope)
        return self.init.apply(nn.Sequential(nn.Flatten(), *body))


def dense_layers(inputs: int, widths: tuple[int, ...], kind: Activation, slope: float) -> list[nn.Module]:
    """Linear layers of these widths with an activation between each two."""
    layers: list[nn.Module] = []
    for before, after in zip((inputs, *widths), widths, strict=False):
        layers += [nn.Linear(before, after), activation(kind, slope)]
    return layers[:-1]
