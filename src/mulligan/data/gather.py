"""Many image files, wherever they lie, as one dataset: what is read, what is skipped and why, and the labels."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

import torch
from torch import Tensor

from mulligan.data.bounds import printable, reason
from mulligan.data.image_files import ENDINGS, read_image
from mulligan.errors import DataError
from mulligan.parts import Dataset

DEFAULT_SIZE = 64


@dataclass(frozen=True)
class ImageFile:
    """A file that should hold an image; `open` raises what stands against reading it."""

    name: PurePath  # below the folder or inside the archive
    open: Callable[[], BinaryIO]


def gather(path: str, files: Sequence[ImageFile], size: int | None) -> Dataset:
    """Every image that can be read, in the order of the names; DataError when there is none."""
    if not files:
        raise DataError(f"data={path} holds no images; put {', '.join(sorted(ENDINGS))} files there or in sub-folders")
    images, kept, skipped = [], [], []
    sizes, modes = Counter(), Counter()
    for file in sorted(files, key=lambda file: file.name):
        try:
            with file.open() as stream:
                read = read_image(stream, size or DEFAULT_SIZE)
        except Exception as error:  # Pillow and zipfile raise two dozen kinds for a damaged file; all mean the same to a person
            skipped.append(f"{printable(str(file.name))}: {reason(error)}")
            continue
        images.append(read.pixels)
        kept.append(file.name)
        sizes[f"{read.size[0]}x{read.size[1]}"] += 1
        modes[read.mode] += 1
    if not images:
        raise DataError(f"data={path} holds {len(files)} image files and none can be read; the first: {skipped[0]}")
    labels, label_names = folder_labels(kept)
    names = tuple(printable(str(name)) for name in kept)
    return Dataset(stack(images), labels, label_names, skipped=tuple(skipped), names=names, sizes=dict(sizes), modes=dict(modes))


def stack(images: list[Tensor]) -> Tensor:
    """(N, 1, H, W) when every image is grey, else (N, 3, H, W)."""
    channels = max(image.shape[0] for image in images)
    return torch.stack([image.expand(channels, -1, -1) for image in images])


def folder_labels(names: Sequence[PurePath]) -> tuple[Tensor | None, tuple[str, ...]]:
    """The first sub-folder of each file as its label; None when some file lies outside of any, or there is one folder only."""
    tops = [name.parts[0] if len(name.parts) > 1 else None for name in names]
    if any(top is None for top in tops) or len(set(tops)) < 2:
        return None, ()
    places = {top: place for place, top in enumerate(sorted({top for top in tops if top}))}
    return torch.tensor([places[top] for top in tops if top]), tuple(places)
