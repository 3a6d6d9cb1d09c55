"""Features that need no network: the pixels, or the points themselves."""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from mulligan.data.images import fit_square
from mulligan.errors import FeaturesError
from mulligan.features.extractor import Extractor
from mulligan.parts import Dataset

NOTHING = hashlib.sha256().hexdigest()  # the digest of weights that are not there


@dataclass(frozen=True)
class Pixels:
    """Every value of an image of at most `side` x `side`, from 0 to 1. They see blur and brightness, and little of meaning."""

    side: int = 32

    def open(self, data: Dataset, device: torch.device) -> Extractor:
        if data.items.dtype != torch.uint8:
            raise FeaturesError(f"features=pixels are of images and the data holds points of shape {data.shape}; use identity")
        fits = max(data.shape[1:]) <= self.side

        def compute(images: Tensor) -> Tensor:
            return (images if fits else fit_square(images, self.side)).float() / 255

        return Extractor("pixels", NOTHING, compute, resize="none" if fits else f"antialiased {self.side}", chunk=500)


@dataclass(frozen=True)
class Identity:
    """The samples as they are: for points."""

    def open(self, data: Dataset, device: torch.device) -> Extractor:
        if data.items.dtype == torch.uint8:
            raise FeaturesError(f"features=identity are of points and the data holds images of shape {data.shape}; use pixels")
        return Extractor("identity", NOTHING, lambda points: points, chunk=4_096)
