"""Samples that are there twice: the same to the last bit, or the same picture saved another way."""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mulligan.data.images import CHUNK, resized

COMPARED = 32  # side at which pictures are compared, if they are larger; JPEG changes what is finer
THUMBNAIL = 16  # side of the grey pictures that are looked at first
BITS, ROTATION, WINDOW = 64, 8, 16  # sorted from every eighth bit on, a fingerprint is compared with the next sixteen
FAR = 6  # bits: pictures whose fingerprints differ in more are not looked at
NEAR = 0.025  # mean difference, as a share of how far the pixels lie from their mean; MNIST's closest pair has 0.039
ROUNDING = 1.5  # levels that thumbnails may differ by on their own account

Groups = list[list[int]]  # positions of samples that belong together, two or more each


@dataclass(frozen=True)
class Sketches:
    """Pictures made small, to compare them quickly."""

    pixels: Tensor  # uint8 (n, C, h, w), no side above COMPARED
    thumbnails: Tensor  # uint8 (n, THUMBNAIL ** 2), grey
    spreads: Tensor  # (n,): the mean distance of the pixels from their mean

    @classmethod
    def of(cls, images: Tensor) -> "Sketches":
        pixels, thumbnails, spreads = [], [], []
        for chunk in images.split(CHUNK):
            pixels.append(resized(chunk, COMPARED) if max(chunk.shape[2:]) > COMPARED else chunk)
            flat = pixels[-1].flatten(1).float()
            spreads.append((flat - flat.mean(1, keepdim=True)).abs().mean(1))
            grey = pixels[-1].float().mean(1, keepdim=True)
            thumbnails.append(resized(grey, THUMBNAIL).flatten(1))
        return cls(torch.cat(pixels), torch.cat(thumbnails), torch.cat(spreads))

    def near(self, pairs: Tensor) -> Tensor:
        """(k, 2) places -> those rows whose pictures hardly differ."""
        for kind, rounding in ((self.thumbnails, ROUNDING), (self.pixels, 0.0)):
            alike = [some[self.differences(kind, some) < self.bounds(some) + rounding] for some in pairs.split(CHUNK)]
            pairs = torch.cat(alike)
        return pairs

    def differences(self, kind: Tensor, pairs: Tensor) -> Tensor:
        first, second = kind[pairs[:, 0]].flatten(1).float(), kind[pairs[:, 1]].flatten(1).float()
        return first.sub_(second).abs_().mean(1)

    def bounds(self, pairs: Tensor) -> Tensor:
        return NEAR * self.spreads[pairs].amin(1)


def exact_duplicates(items: Tensor) -> Groups:
    """Samples of the same bits."""
    groups: dict[bytes, list[int]] = {}
    for position, item in enumerate(items.numpy()):
        groups.setdefault(hashlib.blake2b(item.tobytes(), digest_size=16).digest(), []).append(position)
    return [group for group in groups.values() if len(group) > 1]


def near_duplicates(images: Tensor, exact: Groups) -> Groups:
    """Pictures that hardly differ, such as two savings of one; of exact duplicates only the first takes part."""
    copies = {position for group in exact for position in group[1:]}
    positions = [position for position in range(len(images)) if position not in copies]
    sketches = Sketches.of(images[positions] if copies else images)
    leader = np.arange(len(positions))  # an earlier picture of the group that each is in; its own place for the first of a group
    for pairs in itertools.chain.from_iterable(map(close_pairs, fingerprints(sketches.thumbnails))):
        apart = pairs[leader[pairs[:, 0]] != leader[pairs[:, 1]]]
        for first, second in sketches.near(torch.from_numpy(apart)).tolist():
            one, other = first_of_group(leader, first), first_of_group(leader, second)
            leader[max(one, other)] = min(one, other)
        while not np.array_equal(leader, leader[leader]):
            leader = leader[leader]
    groups: dict[int, list[int]] = {}
    for place in np.flatnonzero(np.bincount(leader)[leader] > 1):
        groups.setdefault(int(leader[place]), []).append(positions[place])
    return list(groups.values())


def first_of_group(leader: np.ndarray, place: int) -> int:
    while leader[place] != place:
        place = int(leader[place])
    return place


def fingerprints(thumbnails: Tensor) -> Iterator[np.ndarray]:
    """(n,) uint64: on which sides of 64 fixed random planes each picture lies, so that near ones share bits.

    Once the planes go through the mean of all pictures, which tells alike ones best, and once through each picture's own mean
    grey, which still works where all are nearly the same.
    """
    planes = torch.from_numpy(np.random.default_rng(0).standard_normal((thumbnails.shape[1], BITS))).float()
    mean = thumbnails.sum(0, dtype=torch.int64).float() / len(thumbnails)
    for centre in (lambda chunk: mean, lambda chunk: chunk.mean(1, keepdim=True)):
        chunks = [chunk.float() for chunk in thumbnails.split(CHUNK)]
        sides = torch.cat([(chunk - centre(chunk)) @ planes > 0 for chunk in chunks])
        yield np.packbits(sides.numpy(), axis=1).view(">u8").astype(np.uint64)[:, 0]


def close_pairs(prints: np.ndarray) -> Iterator[np.ndarray]:
    """(k, 2) places whose fingerprints differ in few bits, found as neighbours in sorted order: the work grows as n log n."""
    for start in range(0, BITS, ROTATION):
        rotated = (prints << np.uint64(start)) | (prints >> np.uint64(BITS - start)) if start else prints
        order = np.argsort(rotated, kind="stable")
        ordered = prints[order]
        for step in range(1, min(WINDOW, len(prints) - 1) + 1):
            close = np.bitwise_count(ordered[step:] ^ ordered[:-step]) <= FAR
            yield np.stack([order[:-step][close], order[step:][close]], 1)
