"""What a source found, as JSON and as sentences: what is there, what is wrong with it, and what will be done."""

import json
from collections.abc import Mapping
from typing import Any

import torch

from mulligan.data.duplicates import Groups, exact_duplicates, near_duplicates
from mulligan.data.image_files import DEEP_MODES, GREY_MODES
from mulligan.parts import Dataset

DATA_REPORT = "data-report.json"
SEE_THROUGH = {"LA", "PA", "La", "RGBA", "RGBa"}


def describe(data: Dataset) -> dict[str, Any]:
    """What is there, without a look for duplicates: cheap enough for the start of a run."""
    return {
        "count": len(data),
        "shape": list(data.shape),
        "dtype": str(data.items.dtype).removeprefix("torch."),
        "sizes": most_first(data.sizes),
        "modes": most_first(data.modes),
        "labels": label_counts(data),
        "skipped": list(data.skipped),
        "will_do": will_do(data),
    }


def describe_text(data: Dataset) -> str:
    """What `data-report.json` says in a run folder."""
    return json.dumps(describe(data), indent=2)


def duplicates(data: Dataset) -> dict[str, list[list[str | int]]]:
    """Groups of samples that are there twice, by their files' names, or by position where there are no files."""
    exact = exact_duplicates(data.items)
    near = near_duplicates(data.items, exact) if data.items.dtype == torch.uint8 else []

    def named(groups: Groups) -> list[list[str | int]]:
        return [[data.names[position] if data.names else position for position in group] for group in groups]

    return {"exact_duplicates": named(exact), "near_duplicates": named(near)}


def most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def label_counts(data: Dataset) -> dict[str, int]:
    """How many samples each label has, in the order of the labels."""
    if data.labels is None:
        return {}
    counts = data.labels.bincount(minlength=len(data.label_names)).tolist()
    return dict(zip(data.label_names, counts, strict=True))


def will_do(data: Dataset) -> list[str]:
    """What happens between the files and the networks, in sentences."""
    lines = image_changes(data) if data.items.dtype == torch.uint8 else ["points are used as they are"]
    if data.labels is not None:
        lines.append("labels are found and not used: every recipe learns all of them together")
    if data.skipped:
        lines.append(f"{counted(len(data.skipped), 'file')} skipped")
    return lines


def image_changes(data: Dataset) -> list[str]:
    channels, height, width = data.shape
    found = {size: tuple(map(int, size.split("x"))) for size in data.sizes}
    other = sum(count for size, count in data.sizes.items() if found[size] != (width, height))
    oblong = sum(count for size, count in data.sizes.items() if found[size][0] != found[size][1])
    small = sum(count for size, count in data.sizes.items() if min(found[size]) < min(width, height))
    grey = sum(count for mode, count in data.modes.items() if mode in GREY_MODES | DEEP_MODES)
    deep = sum(count for mode, count in data.modes.items() if mode in DEEP_MODES)
    see_through = sum(count for mode, count in data.modes.items() if mode in SEE_THROUGH)
    lines = []
    if other and oblong:
        lines.append(f"crop the centre square and resize to {width}x{height}: {counted(other, 'image')} not of that size")
    elif other:
        lines.append(f"resize to {width}x{height}: {counted(other, 'image')} not of that size")
    if other and small:
        lines.append(f"{counted(small, 'image')} smaller than that and enlarged, which blurs")
    if channels == 3 and grey:
        lines.append(f"grey images become RGB beside colour ones: {counted(grey, 'image')} grey")
    if deep:
        lines.append(f"{counted(deep, 'image')} of more than eight bits and brought to eight")
    if see_through:
        lines.append(f"{counted(see_through, 'image')} partly transparent: what lies under the transparency is shown")
    return lines or ["images are used as they are"]


def counted(number: int, thing: str) -> str:
    return f"{number:,} {thing} is" if number == 1 else f"{number:,} {thing}s are"
