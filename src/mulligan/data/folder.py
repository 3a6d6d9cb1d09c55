"""A folder of images: any sizes and modes, sub-folders as labels."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mulligan.data.decode import Unreadable
from mulligan.data.pictures import ENDINGS, Entry, plain, read_entries, reason
from mulligan.errors import DataError
from mulligan.parts import Dataset


@dataclass(frozen=True)
class Folder:
    """Every image below a folder. When all lie in sub-folders, the first level of those are the labels."""

    path: str

    def load(self, size: int | None) -> Dataset:
        root = Path(self.path)
        if not root.is_dir():
            raise DataError(f"data={self.path} does not exist; give a folder of images, an array file or a known name")
        skipped: list[str] = []
        entries = sorted(image_files(root, skipped), key=lambda entry: Path(entry.name))
        return read_entries(entries, size, self.path, skipped)


def image_files(root: Path, skipped: list[str]) -> Iterator[Entry]:
    """Every file below that is named like an image; links to folders are not followed, so that none can lead in a circle."""

    def note(error: OSError) -> None:
        skipped.append(f"{plain(Path(error.filename).relative_to(root).as_posix())}/: {reason(error)}")

    for folder, _, files in os.walk(root, onerror=note):
        for name in files:
            path = Path(folder, name)
            if path.suffix.lower() in ENDINGS:
                yield Entry(path.relative_to(root).as_posix(), lambda path=path: checked(path))


def checked(path: Path) -> Path:
    """A path that can be read without waiting forever."""
    if not path.is_file():
        raise Unreadable("it is a link that leads nowhere" if path.is_symlink() else "it is no plain file")
    if path.stat().st_size == 0:
        raise Unreadable("it is empty")
    return path
