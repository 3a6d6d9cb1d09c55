"""Features of the user's own: a TorchScript file, or any module or function from Python."""

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mulligan.errors import FeaturesError
from mulligan.features.extractor import Extractor, digest_of, whole
from mulligan.parts import Dataset


@dataclass(frozen=True)
class Script:
    """A TorchScript file: float (N, C, H, W) in [-1, 1], or points (N, D) -> (N, F). It is a program: trust its author."""

    path: str

    def open(self, data: Dataset, device: torch.device) -> Extractor:
        path = Path(self.path)
        if not path.is_file():
            raise FeaturesError(f"features={self.path} does not exist; name a TorchScript file, or one of the known features")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # newer formats run code when they are opened
                net = torch.jit.load(path, map_location=device).eval()
        except (RuntimeError, ValueError) as error:
            raise FeaturesError(f"features={self.path} is no TorchScript file: {str(error).splitlines()[0]}") from error
        return own_extractor(net, path.stem, whole(path), device, slow=True)


def of_module(net: Callable[[Tensor], Tensor], device: torch.device) -> Extractor:
    """A module or a function: float (N, C, H, W) in [-1, 1], or points (N, D) -> (N, F)."""
    if isinstance(net, nn.Module):
        return own_extractor(net.eval().to(device), type(net).__name__, digest_of(net), device)
    name = getattr(net, "__name__", type(net).__name__)
    return own_extractor(net, name, hashlib.sha256(name.encode()).hexdigest(), device)


def own_extractor(net: Any, name: str, digest: str, device: torch.device, *, slow: bool = False) -> Extractor:
    def compute(items: Tensor) -> Tensor:
        seen = items.float() / 127.5 - 1 if items.dtype == torch.uint8 else items
        found = net(seen.to(device))
        if not isinstance(found, Tensor) or found.dim() < 2 or len(found) != len(items):
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise FeaturesError(f"features={name} gave {shape} for {len(items)} samples; give one row of numbers for each")
        return found

    return Extractor(name, digest, compute, slow=slow)
