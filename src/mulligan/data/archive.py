"""A zip of images, read in place: nothing is extracted, so nothing can land where it should not."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from mulligan.data.decode import Unreadable
from mulligan.data.pictures import ENDINGS, Entry, read_entries
from mulligan.errors import DataError
from mulligan.parts import Dataset

LARGEST_MEMBER = 64 << 20  # bytes of one file, unpacked
ENCRYPTED = 0x1  # bit of a member's flags
BROKEN = (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError, LookupError)


@dataclass(frozen=True)
class Archive:
    """Every image in a `.zip`. When all lie in folders, the first level of those are the labels."""

    path: str

    def load(self, size: int | None) -> Dataset:
        try:
            with zipfile.ZipFile(self.path) as archive:
                return read_entries(members(archive), size, self.path, [])
        except BROKEN as error:
            raise DataError(f"data={self.path} cannot be read as a zip file: {error}; pack it again") from error


def members(archive: zipfile.ZipFile) -> Iterator[Entry]:
    """The files that are named like images, by name; not those that macOS and hidden folders add."""
    for member in sorted(archive.infolist(), key=lambda member: member.filename):
        name = PurePosixPath(member.filename.replace("\\", "/"))
        hidden = any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in name.parts)
        if not member.is_dir() and not hidden and name.suffix.lower() in ENDINGS:
            yield Entry(str(name), lambda member=member: opened(archive, member))


def opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    """One member in memory; Unreadable for what only harm would need."""
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
        raise Unreadable("its name leads out of the archive")
    if member.flag_bits & ENCRYPTED:
        raise Unreadable("it is encrypted")
    if member.file_size > LARGEST_MEMBER:
        raise Unreadable(f"it would unpack to {member.file_size >> 20:,} MiB, more than {LARGEST_MEMBER >> 20}")
    try:
        with archive.open(member) as file:
            content = file.read(LARGEST_MEMBER + 1)
    except Exception as error:  # a damaged member makes zipfile and zlib raise a dozen kinds; all mean the same
        raise Unreadable(f"it is damaged: {' '.join(str(error).split())}") from error
    if len(content) > LARGEST_MEMBER:
        raise Unreadable(f"it unpacks to more than {LARGEST_MEMBER >> 20} MiB")
    if not content:
        raise Unreadable("it is empty")
    return io.BytesIO(content)


def is_archive(path: Path) -> bool:
    return path.suffix.lower() == ".zip" or (path.suffix.lower() not in (".npz", ".npy") and zipfile.is_zipfile(path))
