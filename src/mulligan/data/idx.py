"""IDX files, the format of MNIST: a four-byte magic, big-endian sizes, then the bytes."""

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mulligan.data.bounds import MOST_ARRAY_BYTES, check_size, open_file, read_bytes, reason
from mulligan.data.images import image_dataset
from mulligan.errors import DataError
from mulligan.parts import Dataset

UNSIGNED_BYTE = 0x08


def read_idx(path: Path, sha256: str | None = None) -> np.ndarray:
    """The array of unsigned bytes in an IDX file, gzipped or not; with `sha256`, only if the unpacked bytes have it."""
    try:
        with open_file(path) as file:
            packed = file.read(2) == b"\x1f\x8b"
            length = file.seek(0, 2)
            file.seek(0)
            return read_stream(gzip.GzipFile(fileobj=file) if packed else file, path, length, packed, sha256)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"data={path} cannot be read: {reason(error)}; check the file or choose other data") from error


def read_stream(stream: Any, path: Path, length: int, packed: bool, sha256: str | None) -> np.ndarray:
    """The array in an open file of `length` bytes, of which no more is read than its header promises."""
    sizes, header = read_header(stream, path)
    wanted = math.prod(sizes)
    try:
        check_size(length if packed else wanted, wanted, MOST_ARRAY_BYTES)
    except ValueError as error:
        raise damaged(path, sizes, f"but {error}") from error
    if not packed and length - len(header) < wanted:
        raise damaged(path, sizes, f"and {length - len(header):,} follow")
    content = read_bytes(stream, wanted)
    if len(content) < wanted:
        raise damaged(path, sizes, f"and {len(content):,} follow")
    if stream.read(1):
        raise damaged(path, sizes, "and more follow")
    digest = hashlib.sha256(header)
    digest.update(content.data)
    if sha256 and digest.hexdigest() != sha256:
        raise DataError(f"data={path} does not have the SHA-256 of the official file ({sha256[:12]}...); install or copy it again")
    try:
        return content.reshape(sizes)
    except ValueError as error:  # more dimensions than an array can have
        raise damaged(path, sizes, f"and {error}") from error


def read_header(stream: Any, path: Path) -> tuple[tuple[int, ...], bytes]:
    """The sizes, and the bytes that they stood in."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != UNSIGNED_BYTE or magic[3] == 0:
        raise DataError(f"data={path} is not an IDX file of unsigned bytes: it starts with {magic.hex(' ') or 'nothing'}")
    header = magic + stream.read(4 * magic[3])
    if len(header) < 4 + 4 * magic[3]:
        raise DataError(f"data={path} is an IDX file cut off inside its header, after {len(header)} bytes; copy it again")
    return struct.unpack(f">{magic[3]}I", header[4:]), header


def damaged(path: Path, sizes: tuple[int, ...], what: str) -> DataError:
    promise = " x ".join(map(str, sizes))
    return DataError(f"data={path} is a damaged IDX file: its header promises {promise} bytes {what}; copy it again")


@dataclass(frozen=True)
class IdxFile:
    """Images in one IDX file: (N, H, W) or (N, H, W, C) unsigned bytes."""

    path: str

    def load(self, size: int | None) -> Dataset:
        array = read_idx(Path(self.path))
        if array.size == 0:
            raise DataError(f"data={self.path} holds no pixels: its sizes are {array.shape}; give at least one image")
        if array.ndim not in (3, 4):
            raise DataError(f"data={self.path} holds an array of shape {array.shape}; images need (N, H, W) or (N, H, W, C)")
        images = torch.from_numpy(array)
        images = images[:, None] if array.ndim == 3 else images.permute(0, 3, 1, 2).contiguous()
        return image_dataset(images, size)
