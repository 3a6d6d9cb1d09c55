"""Bounds on a network's weights: by construction, or put back after every move."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from mulligan.networks.layers import weighted_layers


@dataclass(frozen=True)
class SpectralNorm:
    """Divide every weight by its largest singular value, estimated by power iteration (arXiv:1802.05957)."""

    iterations: int = 1

    def attach(self, net: nn.Module) -> None:
        for layer in weighted_layers(net):
            spectral_norm(layer, n_power_iterations=self.iterations)

    def after_move(self, net: nn.Module) -> None:
        """Nothing to do: the norm is part of the network."""


@dataclass(frozen=True)
class WeightClipping:
    """Clamp every weight to [-limit, limit] after each update (the original WGAN, arXiv:1701.07875, algorithm 1)."""

    limit: float = 0.01

    def attach(self, net: nn.Module) -> None:
        """Nothing to do before the first move: the paper clips after updates only."""

    @torch.no_grad()
    def after_move(self, net: nn.Module) -> None:
        for parameter in net.parameters():
            parameter.clamp_(-self.limit, self.limit)


Constraint = SpectralNorm | WeightClipping
