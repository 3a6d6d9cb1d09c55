"""Reading files that may lie about their size: never more than was agreed, and never from what is no file."""

import io
import itertools
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

MOST_PIXELS = 32 << 20  # of one image as decoded: 128 MiB at Pillow's four bytes each
MOST_IMAGE_BYTES = 128 << 20  # of one image file
MOST_ARRAY_BYTES = 4 << 30  # of one array; a header that promises more is taken for damage
MOST_SWELLING = 200  # times that packed bytes may grow, once they are more than
SMALL = 64 << 20  # bytes, which may come out of however few
PIECE = 1 << 20  # bytes read at once


def open_file(path: Path) -> BinaryIO:
    """A regular file, open for reading; OSError for a pipe or a device, which might never end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("it is no regular file")
    return path.open("rb")


def check_size(packed: int, unpacked: int, most: int) -> None:
    """ValueError when `packed` bytes claim to become more than `most`, or swell as only a bomb does."""
    if unpacked > most:
        raise ValueError(f"it claims {unpacked:,} bytes, and no more than {most:,} are read")
    if unpacked > SMALL and unpacked > packed * MOST_SWELLING:
        raise ValueError(f"it claims to swell from {packed:,} to {unpacked:,} bytes, as only a bomb does")


def pieces(stream: BinaryIO, most: int) -> Iterator[bytes]:
    """What the stream holds, up to `most` bytes, a piece at a time."""
    while most > 0 and (piece := stream.read(min(PIECE, most))):
        yield piece
        most -= len(piece)


def read_bytes(stream: BinaryIO, most: int, start: bytes = b"") -> np.ndarray:
    """Up to `most` bytes as uint8 (n,): `start`, which was read already, and what the stream holds after it."""
    content, filled = np.empty(most, np.uint8), 0
    start = start[:most]
    for piece in itertools.chain([start], pieces(stream, most - len(start))):
        content[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
        filled += len(piece)
    return content[:filled]


def read_into_memory(stream: BinaryIO, most: int) -> io.BytesIO:
    """Up to `most` bytes of the stream as a file in memory."""
    memory = io.BytesIO()
    for piece in pieces(stream, most):
        memory.write(piece)
    memory.seek(0)
    return memory


def reason(error: Exception) -> str:
    """Why something could not be read, in one printable line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(" ".join(text.split())) or type(error).__name__


def printable(text: str) -> str:
    """The text with line ends, control characters and broken encodings written as escapes."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
