"""What is in a data set, what is wrong with it, and what will be done about it: facts as JSON, and the same in words."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from mulligan.parts import Dataset

THUMB = 8  # side of the thumbnails among which near duplicates are looked for
NEAR = 6.0  # of 255: root mean square difference of two images that count as nearly the same
MOST_COMPARED = 60_000  # images; each is compared with every other
BLOCK = 1_000  # thumbnails compared with all others at once


def facts(data: Dataset) -> dict[str, Any]:
    """What is known without looking for duplicates: quick."""
    counts = torch.bincount(data.labels, minlength=len(data.label_names)).tolist() if data.labels is not None else []
    return {
        "count": len(data),
        "shape": list(data.shape),
        "sizes": dict(sorted(data.sizes.items(), key=lambda item: -item[1])),
        "modes": dict(data.modes),
        "labels": dict(zip(data.label_names, counts, strict=True)) if counts else {},
        "skipped": list(data.skipped),
        "will_do": will_do(data),
    }


def will_do(data: Dataset) -> list[str]:
    """What happens to the data before a network sees them, a sentence each."""
    said = []
    if data.items.dtype == torch.uint8:
        side = f"{data.shape[2]}x{data.shape[1]}"
        if changed := sum(count for size, count in data.sizes.items() if size != side):
            said.append(f"{changed:,} of {len(data):,} images: the centred square is cut out and resized to {side}, antialiased")
        else:
            said.append("the images are used as they are stored")
        grey = sum(count for mode, count in data.modes.items() if mode in ("1", "L", "LA", "I", "F") or mode.startswith("I;"))
        if grey and data.shape[0] == 3:
            said.append(f"{grey:,} grey images become colour images beside the others")
    if data.skipped:
        said.append(f"{len(data.skipped):,} files are skipped")
    if data.label_names:
        said.append(f"{len(data.label_names)} classes are recorded as labels")
    return said


def examine(data: Dataset) -> dict[str, Any]:
    """`facts`, and which samples are the same or nearly so: groups of names (or of positions where there are none)."""
    exact = exact_duplicates(data.items)
    near: list[list[int]] = []
    compared = min(len(data), MOST_COMPARED)
    if data.items.dtype == torch.uint8:
        first = sorted({group[0] for group in exact} | (set(range(compared)) - {index for group in exact for index in group}))
        near = near_duplicates(data.items, [index for index in first if index < compared])
    return facts(data) | {
        "exact_duplicates": [named(data, group) for group in exact],
        "near_duplicates": [named(data, group) for group in near],
        "compared_for_near_duplicates": compared if data.items.dtype == torch.uint8 else 0,
    }


def named(data: Dataset, group: Iterable[int]) -> list[str]:
    return [data.names[index] if data.names else str(index) for index in group]


def exact_duplicates(items: Tensor) -> list[list[int]]:
    """Groups of positions whose samples are equal to the last bit, after resizing."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for index, item in enumerate(items.numpy()):
        groups[hashlib.blake2b(item.tobytes(), digest_size=16).digest()].append(index)
    return [group for group in groups.values() if len(group) > 1]


def near_duplicates(images: Tensor, which: list[int]) -> list[list[int]]:
    """Groups of positions, among `which`, that differ by less than NEAR; uint8 (N, C, H, W).

    Averaging makes differences smaller, so thumbnails that still differ by more rule a pair out; the rest are compared in full.
    """
    thumbs = torch.cat([thumbnails(images[torch.tensor(chunk)]) for chunk in chunks(which)]) if which else torch.zeros(0, 1)
    squares, limit = thumbs.square().sum(1), 1.5 * NEAR**2 * thumbs.shape[1]  # windows overlap a little: some room
    leader = list(range(len(which)))
    for start in range(0, len(which), BLOCK):
        block = thumbs[start : start + BLOCK]
        distances = squares[start : start + BLOCK, None] + squares[None, start:] - 2 * block @ thumbs[start:].T
        for row, column in (distances < limit).nonzero().tolist():
            one, two = start + row, start + column
            if one < two and close(images[which[one]], images[which[two]]):
                join(leader, one, two)
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(len(which)):
        groups[root(leader, index)].append(which[index])
    return [group for group in groups.values() if len(group) > 1]


def chunks(which: list[int]) -> Iterable[list[int]]:
    return (which[start : start + 4 * BLOCK] for start in range(0, len(which), 4 * BLOCK))


def thumbnails(images: Tensor) -> Tensor:
    """uint8 (N, C, H, W) -> float32 (N, 64), centred so that products lose no digits."""
    grey = images.float().mean(1, keepdim=True) - 128
    return interpolate(grey, (THUMB, THUMB), mode="area").flatten(1)


def close(one: Tensor, two: Tensor) -> bool:
    return float((one.float() - two.float()).square().mean().sqrt()) < NEAR


def root(leader: list[int], index: int) -> int:
    while leader[index] != index:
        leader[index] = leader[leader[index]]
        index = leader[index]
    return index


def join(leader: list[int], one: int, two: int) -> None:
    leader[root(leader, two)] = root(leader, one)
