"""Writing so that a crash at any moment leaves the old file or the new one, and the system's errors in words."""

import errno
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from mulligan.errors import StorageError

TEMPORARY = ".tmp"  # ending of a file that is being written
SPARE_BYTES = 8 << 20  # left free on the disk beyond what is being written


def cache_folder() -> Path:
    """Where files are kept that runs share: MULLIGAN_CACHE, or the user's own cache. It need not exist."""
    return Path(os.environ.get("MULLIGAN_CACHE", Path.home() / ".cache" / "mulligan"))


@contextmanager
def whole_file(target: Path, size: int) -> Iterator[BinaryIO]:
    """To write a file of `size` bytes under another name; then it is flushed to the disk and renamed, and the folder flushed.

    After a crash at any moment the file is the old one or the new one; after an error it is the old one.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}{TEMPORARY}")
    with storage_errors(target):
        free, needed = shutil.disk_usage(target.parent).free, size + SPARE_BYTES
        if free < needed:
            raise OSError(errno.ENOSPC, f"{free >> 20} MiB free, {needed >> 20} needed")
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        flush_folder(target.parent)


def write_whole(target: Path, content: bytes) -> None:
    with whole_file(target, len(content)) as file:
        file.write(content)


def write_picture(target: Path, picture: Image.Image) -> None:
    """A PNG, whole or absent."""
    content = io.BytesIO()
    picture.save(content, "PNG")
    write_whole(target, content.getvalue())


def flush_folder(folder: Path) -> None:
    """Make a rename durable; Windows has no such call and needs none."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """The system's errors in the words of a person who wants to go on."""
    try:
        yield
    except OSError as error:
        what, mend = {
            errno.ENOSPC: (f"the disk is full ({error.strerror})", "free some space"),
            errno.EDQUOT: ("the quota is used up", "free some space"),
            errno.EROFS: ("the file system is read-only", "choose another --run"),
            errno.EACCES: ("writing is not permitted", "change the permissions or choose another --run"),
            errno.EPERM: ("writing is not permitted", "change the permissions or choose another --run"),
            errno.ENOENT: ("the folder is gone", "put it back"),
            errno.ENOTDIR: ("a part of the path is a file", "choose another --run"),
        }.get(error.errno or 0, (str(error), "mend that"))
        raise StorageError(f"{path} cannot be written: {what}; {mend}") from error
