"""Samples that are there twice: the same to the last bit, or the same picture saved another way."""

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from mulligan.data.images import CHUNK, resized

THUMBNAIL = 16  # side of what a fingerprint is taken from
BITS, ROTATION, WINDOW = 64, 8, 16  # sorted from every eighth bit on, a fingerprint is compared with the next sixteen
FAR = 12  # bits: two pictures whose fingerprints differ in more are not looked at
COMPARED = 32  # side at which pictures are compared; JPEG changes what is finer
NEAR = 0.03  # mean difference, as a share of how far the pixels lie from their mean; MNIST's closest pair has 0.039
PAIRS = 2048  # compared at once

Groups = list[list[int]]  # positions of samples that belong together, two or more each


def exact_duplicates(items: Tensor) -> Groups:
    """Samples of the same bits."""
    groups: dict[bytes, list[int]] = {}
    for position, item in enumerate(items.numpy()):
        groups.setdefault(hashlib.blake2b(np.ascontiguousarray(item), digest_size=16).digest(), []).append(position)
    return [group for group in groups.values() if len(group) > 1]


def near_duplicates(images: Tensor, exact: Groups) -> Groups:
    """Pictures that hardly differ, such as two savings of one; of exact duplicates only the first takes part."""
    distinct = np.ones(len(images), bool)
    distinct[[position for group in exact for position in group[1:]]] = False
    positions = np.flatnonzero(distinct)
    leader = np.arange(len(positions))  # of the group that each is in so far
    for pairs in close_pairs(fingerprints(images, positions)):
        apart = pairs[leader[pairs[:, 0]] != leader[pairs[:, 1]]]
        for some in np.array_split(apart, len(apart) // PAIRS + 1):
            for first, second in some[hardly_differ(images, positions[some])] if len(some) else ():
                leader[leader == leader[second]] = leader[first]
    groups: dict[int, list[int]] = {}
    for place in np.flatnonzero(np.bincount(leader, minlength=len(leader))[leader] > 1):
        groups.setdefault(int(leader[place]), []).append(int(positions[place]))
    return list(groups.values())


def fingerprints(images: Tensor, positions: np.ndarray) -> np.ndarray:
    """(n,) uint64: on which side of 64 fixed random planes through the mean picture each thumbnail lies; near ones, near bits."""
    chunks = torch.from_numpy(positions).split(CHUNK)
    grey = [images[chunk].float().mean(1, keepdim=True).to(torch.uint8) for chunk in chunks]
    thumbnails = [resized(chunk, THUMBNAIL).flatten(1) for chunk in grey]
    mean = sum(chunk.sum(0, dtype=torch.float64) for chunk in thumbnails) / len(positions)
    planes = torch.from_numpy(np.random.default_rng(0).standard_normal((THUMBNAIL**2, BITS)))
    sides = [((chunk - mean) @ planes > 0).numpy() for chunk in thumbnails]
    return np.packbits(np.concatenate(sides), axis=1).view(">u8").astype(np.uint64)[:, 0]


def close_pairs(prints: np.ndarray) -> Iterator[np.ndarray]:
    """(k, 2) places of fingerprints that differ in few bits, found as neighbours in sorted order: the work grows as n log n."""
    for start in range(0, BITS, ROTATION):
        rotated = (prints << np.uint64(start)) | (prints >> np.uint64(BITS - start)) if start else prints
        order = np.argsort(rotated, kind="stable")
        ordered = prints[order]
        for step in range(1, min(WINDOW, len(prints) - 1) + 1):
            close = np.bitwise_count(ordered[step:] ^ ordered[:-step]) <= FAR
            yield np.stack([order[:-step][close], order[step:][close]], 1)


def hardly_differ(images: Tensor, pairs: np.ndarray) -> np.ndarray:
    """(k, 2) positions -> (k,) whether the pixels differ by a small share of their own spread."""
    first, second = (images[torch.from_numpy(pairs[:, side])] for side in (0, 1))
    if max(images.shape[2:]) > COMPARED:
        first, second = resized(first, COMPARED), resized(second, COMPARED)
    first, second = first.flatten(1).float(), second.flatten(1).float()
    spreads = [(pixels - pixels.mean(1, keepdim=True)).abs().mean(1) for pixels in (first, second)]
    return ((first - second).abs().mean(1) < NEAR * torch.minimum(*spreads)).numpy()
