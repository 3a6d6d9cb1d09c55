"""Many image files as one data set: what can be read, what cannot and why, and labels from the first folder of each name."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import torch
from torch import Tensor

from mulligan.data.decode import Unreadable, read_picture
from mulligan.errors import DataError
from mulligan.parts import Dataset

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
DEFAULT_SIZE = 64


@dataclass(frozen=True)
class Entry:
    """A file by its name within the source, with `/` between folders. `open` may raise Unreadable or OSError."""

    name: str
    open: Callable[[], Path | BinaryIO]


def read_entries(entries: Iterable[Entry], size: int | None, where: str, skipped: list[str]) -> Dataset:
    """Every picture that can be read, in the order of the entries; DataError when there is none."""
    pictures, names, sizes, modes = [], [], Counter[str](), Counter[str]()
    for entry in entries:
        try:
            picture = read_picture(entry.open(), size or DEFAULT_SIZE)
        except (Unreadable, OSError) as error:
            skipped.append(f"{plain(entry.name)}: {reason(error)}")
            continue
        pictures.append(picture.pixels)
        names.append(plain(entry.name))
        sizes[picture.size] += 1
        modes[picture.mode] += 1
    if not pictures and not skipped:
        raise DataError(f"data={where} holds no images; put {', '.join(sorted(ENDINGS))} files there or in sub-folders")
    if not pictures:
        raise DataError(f"data={where} holds {len(skipped)} image files and none can be read; the first: {skipped[0]}")
    labels, label_names = folder_labels(names)
    return Dataset(
        stack(pictures), labels, label_names, skipped=tuple(skipped), names=tuple(names), sizes=dict(sizes), modes=dict(modes)
    )


def reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())


def plain(name: str) -> str:
    """A name that any terminal and file can show: one line of valid text."""
    shown = name.encode("utf-8", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in shown)


def stack(images: list[Tensor]) -> Tensor:
    """(N, 1, H, W) when every image is grey, else (N, 3, H, W)."""
    channels = max(image.shape[0] for image in images)
    return torch.stack([image.expand(channels, -1, -1) for image in images])


def folder_labels(names: list[str]) -> tuple[Tensor | None, tuple[str, ...]]:
    """The first folder of each name as its label; None when some file lies in none, or there is one folder only."""
    parts = [PurePosixPath(name).parts for name in names]
    if any(len(part) < 2 for part in parts) or len({part[0] for part in parts}) < 2:
        return None, ()
    classes = sorted({part[0] for part in parts})
    number = {name: index for index, name in enumerate(classes)}
    return torch.tensor([number[part[0]] for part in parts]), tuple(classes)
