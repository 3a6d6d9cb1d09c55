"""Features of a small classifier that learns the data's own labels, once, in a minute or so: a fast ruler where there are labels.

Distances in them compare runs on the same data with the same classifier, which its digest tells apart; they are never called FID.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy

from mulligan.data.images import fit_square
from mulligan.errors import FeaturesError
from mulligan.features.extractor import Extractor, digest_of, from_cache, to_cache
from mulligan.parts import Dataset
from mulligan.storage import cache_folder

SIDE = 32  # larger images are brought to this
WIDTH = 128  # features
BATCH = 64
SEEN = 120_000  # images that it learns from, some of them again and again
RATE = 2e-3
KIND = "classifier 1"  # changes whenever the network or its training does


class ClassifierNetwork(nn.Module):
    """float (N, C, H, W) in [-1, 1] -> logits (N, K); `features` stops before the last layer, at (N, 128)."""

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 16, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(16, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.ReLU(),
            Pool(4),
            nn.Flatten(),
            nn.Linear(64 * 16, WIDTH),
            nn.ReLU(),
        )
        self.head = nn.Linear(WIDTH, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


class Pool(nn.Module):
    """Average to `side` x `side`, whatever the size was."""

    def __init__(self, side: int):
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        return adaptive_avg_pool2d(x, self.side)


@dataclass(frozen=True)
class Classifier:
    """The last hidden layer, 128 numbers, of a classifier of the data's labels; it learns when first asked for, and is kept."""

    def open(self, data: Dataset, device: torch.device) -> Extractor:
        if data.items.dtype != torch.uint8 or data.labels is None:
            lacking = "no labels" if data.items.dtype == torch.uint8 else "points, not images"
            raise FeaturesError(f"features=classifier needs labelled images and the data holds {lacking}; use pixels or inception")
        path = cache_folder() / "classifiers" / f"{key(data)}.safetensors"
        with torch.random.fork_rng(devices=[]):  # a run's own random numbers stay as they are
            torch.manual_seed(0)
            net = ClassifierNetwork(data.shape[0], len(data.label_names))
        kept = from_cache(path)
        if kept is None:
            kept = learn(net, data)
            to_cache(path, *kept)
        net.load_state_dict(kept[0])
        net.eval().requires_grad_(False).to(device)
        digest = digest_of(net)
        weight, bias = (value.detach().cpu().double() for value in (net.head.weight, net.head.bias))

        def probabilities(features: np.ndarray) -> np.ndarray:
            return torch.softmax(torch.from_numpy(features) @ weight.T + bias, 1).numpy()

        return Extractor(
            "classifier",
            digest,
            lambda images: net.features(encode(images.to(device))),
            resize="none" if max(data.shape[1:]) <= SIDE else f"antialiased {SIDE}",
            chunk=500,
            probabilities=probabilities,
            facts={"features_trained_on": f"{len(data):,} samples"},
        )


def encode(images: Tensor) -> Tensor:
    """uint8 (N, C, H, W) -> float in [-1, 1], no larger than 32 x 32."""
    smaller = images if max(images.shape[2:]) <= SIDE else fit_square(images, SIDE)
    return smaller.float() / 127.5 - 1


def key(data: Dataset) -> str:
    """The data and the kind of network, as a name."""
    digest = hashlib.sha256(f"{KIND} {tuple(data.items.shape)} {data.label_names}".encode())
    assert data.labels is not None
    for values in (data.items, data.labels):
        digest.update(np.ascontiguousarray(values.numpy()).data)
    return digest.hexdigest()[:32]


def learn(net: ClassifierNetwork, data: Dataset) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Teach it the labels: always the same way, so that the same machine makes the same weights, which are returned."""
    assert data.labels is not None
    started = time.monotonic()
    order = np.random.default_rng(0)
    optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=0.01, fused=True)
    steps = SEEN // BATCH
    decay = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    images = encode(data.items)
    for _ in range(steps):
        chosen = torch.from_numpy(order.integers(len(images), size=BATCH))
        loss = cross_entropy(net(images[chosen]), data.labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay.step()
    return dict(net.state_dict()), {"seconds": round(time.monotonic() - started, 1)}


def accuracy(extractor: Extractor, features: np.ndarray, labels: Tensor) -> float:
    """The share of samples whose label the network finds."""
    assert extractor.probabilities is not None
    return float((extractor.probabilities(features).argmax(1) == labels.numpy()).mean())
