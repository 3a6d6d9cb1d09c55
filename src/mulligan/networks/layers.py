"""What every family is built from: activations, outputs, initial weights, and layers that stay in float32."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

Activation = Literal["relu", "leaky-relu", "tanh"]
Output = Literal["tanh", "hard-tanh", "sigmoid", "linear"]


def activation(kind: Activation, slope: float = 0.2) -> nn.Module:
    match kind:
        case "relu":
            return nn.ReLU()
        case "leaky-relu":
            return nn.LeakyReLU(slope)
        case "tanh":
            return nn.Tanh()


def output(kind: Output) -> nn.Module:
    match kind:
        case "tanh":
            return nn.Tanh()
        case "hard-tanh":  # reaches its ends, as pixels of drawings do: black is 0 and not a little noise above
            return nn.Hardtanh()
        case "sigmoid":
            return nn.Sigmoid()
        case "linear":
            return nn.Identity()


class InFloat32(nn.Sequential):
    """Layers that compute in float32 even under bfloat16 autocast: the first and last of a network like the extra digits."""

    def forward(self, inputs: Tensor) -> Tensor:
        with torch.autocast(inputs.device.type, enabled=False):
            return super().forward(inputs.float())


@dataclass(frozen=True)
class TorchDefault:
    """PyTorch's own: uniform within 1/sqrt(fan in), biases too."""

    def apply(self, net: nn.Module) -> nn.Module:
        return net


@dataclass(frozen=True)
class NormalWeights:
    """Weights N(0, std), biases 0 (arXiv:1511.06434, section 4); norms keep scale 1 and shift 0."""

    std: float = 0.02

    def apply(self, net: nn.Module) -> nn.Module:
        for layer in weighted_layers(net):
            nn.init.normal_(layer.weight, std=self.std)
        return zero_biases(net)


@dataclass(frozen=True)
class XavierUniform:
    """Glorot's uniform weights, biases 0: PaddlePaddle's default for linear layers."""

    def apply(self, net: nn.Module) -> nn.Module:
        for layer in weighted_layers(net):
            nn.init.xavier_uniform_(layer.weight)
        return zero_biases(net)


@dataclass(frozen=True)
class PaddleFluid:
    """PaddlePaddle Fluid's defaults: Glorot's uniform, but N(0, sqrt(2 / fan in)) in forward convolutions; biases 0."""

    def apply(self, net: nn.Module) -> nn.Module:
        XavierUniform().apply(net)
        for layer in weighted_layers(net):
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        return net


Init = TorchDefault | NormalWeights | XavierUniform | PaddleFluid

Weighted = nn.Linear | nn.Conv2d | nn.ConvTranspose2d


def weighted_layers(net: nn.Module) -> list[Weighted]:
    """The linear and convolutional layers, in order."""
    return [layer for layer in net.modules() if isinstance(layer, Weighted)]


def zero_biases(net: nn.Module) -> nn.Module:
    for layer in weighted_layers(net):
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return net
