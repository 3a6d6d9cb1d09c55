"""An open feature network: images or points in, a matrix of features out, with the name and the digest that scores carry."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mulligan.errors import RunFolderError
from mulligan.packed import unpack, write_packed
from mulligan.storage import cache_folder, storage_errors

Told = Callable[[int, int], None]  # how many samples are done, of how many


def ignore(done: int, total: int) -> None:
    """For whoever does not want to know."""


@dataclass(frozen=True)
class Extractor:
    """`compute` maps stored samples, uint8 (n, C, H, W) or float32 (n, D), to features (n, F); always `chunk` at once, padded.

    The same sample has the same features, whatever stands beside it. `probabilities` maps features (N, F) to those of classes
    (N, K), where the network has such a head.
    """

    name: str
    digest: str  # SHA-256 of the weights, or of nothing where there are none
    compute: Callable[[Tensor], Tensor]
    resize: str = "none"
    chunk: int = 64
    slow: bool = False  # worth keeping in the cache what was computed of real samples
    probabilities: Callable[[np.ndarray], np.ndarray] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)  # more that belongs into a passport

    @torch.no_grad()
    def __call__(self, items: Tensor, told: Told = ignore) -> np.ndarray:
        """Stored samples -> float64 (N, F)."""
        rows = []
        for start in range(0, len(items), self.chunk):
            part = items[start : start + self.chunk]
            short = self.chunk - len(part)
            padded = torch.cat([part, part[:1].expand(short, *part.shape[1:])]) if short else part
            rows.append(self.compute(padded)[: len(part)].flatten(1).float().cpu())
            told(start + len(part), len(items))
        return torch.cat(rows).double().numpy()

    def of_real(self, items: Tensor, told: Told = ignore) -> np.ndarray:
        """The same, kept in the cache when it is slow: real samples are looked at again and again."""
        if not self.slow:
            return self(items, told)
        path = cache_folder() / "features" / f"{self.name}-{self.key(items)}.safetensors"
        kept = from_cache(path)
        if kept is None:
            kept = {"features": torch.from_numpy(self(items, told)).float()}, {}
            to_cache(path, *kept)
        return kept[0]["features"].double().numpy()

    def key(self, items: Tensor) -> str:
        """What the features of these samples hang on, as one short name."""
        digest = hashlib.sha256(f"{self.digest} {self.resize} {tuple(items.shape)}".encode())
        digest.update(np.ascontiguousarray(items.numpy()).data)
        return digest.hexdigest()[:32]

    def passport(self) -> dict[str, Any]:
        return {"features": self.name, "features_sha256": self.digest[:16], "resize": self.resize, **self.facts}


def digest_of(net: nn.Module) -> str:
    """SHA-256 of a network's kind and numbers."""
    digest = hashlib.sha256(type(net).__name__.encode())
    for name, value in net.state_dict().items():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value.detach().cpu().float().numpy()).data)
    return digest.hexdigest()


def whole(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def from_cache(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """What `to_cache` kept; None when there is nothing, or nothing whole."""
    try:
        return unpack(path) if path.is_file() else None
    except RunFolderError:
        return None


def to_cache(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_packed(path, tensors, facts)
