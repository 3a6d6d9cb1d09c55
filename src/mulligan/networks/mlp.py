"""Fully connected pairs: for points, and for images as the first tutorials did them."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mulligan.errors import RecipeError
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
class SwitchGenerator:
    """(N, latents) -> the largest of the first `choices` latents elects a code, the others widen it -> hidden -> (N, *shape).

    A smooth generator of normal latents cannot make separate modes without a bridge of samples between them (compare
    arXiv:1706.02071). This one is torn where it should be: all of `choices` fixed codes, drawn from a standard normal with
    `codes_seed`, are equally likely, and each is a normal of width `width`.
    """

    hidden: tuple[int, ...] = (128, 128)
    choices: int = 10
    width: float = 0.02
    codes_seed: int = 0
    activation: Activation = "leaky-relu"
    slope: float = 0.2
    output: Output = "linear"
    init: Init = TorchDefault()

    def build(self, latents: int, shape: Shape) -> nn.Module:
        if not 1 <= self.choices < latents:
            raise RecipeError(
                f"generator=switch-generator chooses with {self.choices} of {latents} latents and needs some to widen its codes; "
                f"use --latents.size {self.choices + 8} or fewer choices"
            )
        size = latents - self.choices
        body = dense_layers(size, (*self.hidden, math.prod(shape)), self.activation, self.slope)
        switch = Switch(self.choices, size, self.width, self.codes_seed)
        return self.init.apply(nn.Sequential(switch, *body, output(self.output), nn.Unflatten(1, shape)))


class Switch(nn.Module):
    """(N, choices + size) -> (N, size): the code of the largest of the first, plus `width` times the others."""

    codes: Tensor

    def __init__(self, choices: int, size: int, width: float, seed: int):
        super().__init__()
        codes = np.random.default_rng(seed).standard_normal((choices, size), dtype=np.float32)
        self.register_buffer("codes", torch.from_numpy(codes))
        self.width = width

    def forward(self, latents: Tensor) -> Tensor:
        choices = len(self.codes)
        return self.codes[latents[:, :choices].argmax(1)] + self.width * latents[:, choices:]


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
