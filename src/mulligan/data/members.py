"""Members of a zip file, read in place within bounds: nothing is extracted, nothing is believed."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from mulligan.data.bounds import check_size, open_file, reason
from mulligan.errors import DataError

BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # Python unpacks the others by as much as they like
ENCRYPTED = 0x1


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, open; DataError when its list of members cannot be read."""
    try:
        file = open_file(path)
    except OSError as error:
        raise DataError(f"data={path} cannot be read: {reason(error)}; check the file or choose other data") from error
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # zipfile raises half a dozen kinds for a damaged file
            raise DataError(f"data={path} cannot be read as a zip file: {reason(error)}; pack it again") from error
        with archive:
            yield archive


def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> BinaryIO:
    """One member as a stream that gives the bytes it claims and no more; ValueError when that is refused."""
    if info.flag_bits & ENCRYPTED:
        raise ValueError("it is encrypted; pack it again without a password")
    if info.compress_type not in BOUNDED:
        raise ValueError("it is packed in a way that cannot be unpacked within bounds; pack it again with deflate")
    check_size(info.compress_size, info.file_size, most)
    return cast(BinaryIO, archive.open(info))
