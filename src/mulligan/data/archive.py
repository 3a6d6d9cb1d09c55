"""A zip file of images, read in place: nothing is extracted."""

import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from mulligan.data.bounds import MOST_IMAGE_BYTES, read_into_memory
from mulligan.data.gather import ImageFile, gather
from mulligan.data.image_files import ENDINGS
from mulligan.data.members import open_member, open_zip
from mulligan.parts import Dataset


@dataclass(frozen=True)
class Archive:
    """Every image in a zip file, as if it were a folder: when all lie in sub-folders, the first level of those are the labels."""

    path: str

    def load(self, size: int | None) -> Dataset:
        with open_zip(Path(self.path)) as archive:
            return gather(self.path, image_members(archive), size)


def image_members(archive: zipfile.ZipFile) -> list[ImageFile]:
    """Every member with an image's ending, and every archive inside; not what a Mac or an editor hid among them."""
    found = []
    for info in archive.infolist():
        name = PurePosixPath(info.filename.replace("\\", "/"))
        hidden = any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in name.parts)
        if not info.filename.endswith("/") and not hidden and name.suffix.lower() in ENDINGS | {".zip"}:
            found.append(ImageFile(name, partial(open_image, archive, info, name)))
    return found


def open_image(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: PurePosixPath) -> BinaryIO:
    """A member as a file in memory; ValueError for one that wants to be elsewhere or is too large."""
    if name.is_absolute() or ".." in name.parts or name.parts[0].endswith(":"):
        raise ValueError("its name leads out of the archive; pack it again with names below one folder")
    if name.suffix.lower() == ".zip":
        raise ValueError("it is an archive inside the archive; give that as data itself")
    with open_member(archive, info, MOST_IMAGE_BYTES) as stream:
        return read_into_memory(stream, info.file_size)
