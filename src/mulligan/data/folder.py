"""A folder of images: any sizes and modes, sub-folders as labels."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from mulligan.data.bounds import open_file
from mulligan.data.gather import ImageFile, gather
from mulligan.data.image_files import ENDINGS
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
        return gather(self.path, image_files(root), size)


def image_files(root: Path) -> list[ImageFile]:
    """Every file with an image's ending, and every folder that cannot be looked into."""
    found, folders = [], [root]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            found.append(ImageFile(folder.relative_to(root), partial(refuse, error)))
            continue
        for entry in entries:
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif entry.is_symlink() and leads_to_folder(path):
                error = OSError("it is a link to a folder, and those are not followed")
                found.append(ImageFile(path.relative_to(root), partial(refuse, error)))
            elif path.suffix.lower() in ENDINGS:
                found.append(ImageFile(path.relative_to(root), partial(open_file, path)))
    return found


def leads_to_folder(path: Path) -> bool:
    """False for a link in a circle, or into where looking is not permitted."""
    try:
        return path.is_dir()
    except OSError:
        return False


def refuse(error: OSError) -> BinaryIO:
    raise error
