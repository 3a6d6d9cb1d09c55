"""What scores are measured in: the closed union is the registry; a module of yours needs none."""

from collections.abc import Callable

import torch
from torch import Tensor

from mulligan.features.classifier import Classifier
from mulligan.features.extractor import Extractor
from mulligan.features.inception import Inception
from mulligan.features.own import Script, of_module
from mulligan.features.plain import Identity, Pixels
from mulligan.parts import Dataset

Features = Inception | Classifier | Pixels | Identity | Script


def default_features(data: Dataset) -> Features:
    """Points as they are; images by a classifier of their labels, or by their pixels where there are none."""
    if data.items.dtype != torch.uint8:
        return Identity()
    return Pixels() if data.labels is None else Classifier()


def open_features(features: Features | Extractor | Callable[[Tensor], Tensor], data: Dataset, device: torch.device) -> Extractor:
    """Ready to be called; `data` is what a classifier learns from. FeaturesError when they do not fit it."""
    if isinstance(features, Extractor):
        return features
    if isinstance(features, Features):
        return features.open(data, device)
    return of_module(features, device)


__all__ = ["Classifier", "Extractor", "Features", "Identity", "Inception", "Pixels", "Script", "default_features", "open_features"]
