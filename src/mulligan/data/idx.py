"""IDX files, the format of MNIST: a four-byte magic, big-endian sizes, then the bytes."""

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mulligan.data.images import check_packing, fit_square, stored_sizes
from mulligan.errors import DataError
from mulligan.parts import Dataset

UNSIGNED_BYTE = 0x08
LARGEST = 4 << 30  # bytes: more than this in a header is taken for damage, not allocated


def read_idx(path: Path, sha256: str | None = None) -> np.ndarray:
    """The array of unsigned bytes in an IDX file, gzipped or not; with `sha256`, only if the unpacked bytes have it."""
    content = read_bounded(path)
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"data={path} does not have the SHA-256 of the official file ({sha256[:12]}...); install or copy it again")
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE or content[3] == 0:
        raise DataError(f"data={path} is not an IDX file of unsigned bytes: it starts with {content[:4].hex(' ') or 'nothing'}")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"data={path} is an IDX file cut off inside its header, after {len(content)} bytes; copy it again")
    sizes = struct.unpack(f">{content[3]}I", content[4:start])
    wanted = math.prod(sizes)
    if wanted > LARGEST or len(content) - start != wanted:
        raise DataError(
            f"data={path} is a damaged IDX file: its header promises {' x '.join(map(str, sizes))} bytes and "
            f"{len(content) - start:,}{' or more' if len(content) - start > wanted else ''} follow; copy it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(sizes).copy()


def read_bounded(path: Path) -> bytes:
    """The file, unpacked when it is gzipped; never more than its own header promises, and a little."""
    try:
        if not path.is_file():
            raise OSError("it is no plain file")
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            with gzip.open(raw) if packed else raw as file:
                start = file.read(4)
                sizes = file.read(4 * start[3]) if len(start) == 4 else b""
                promised = math.prod(struct.unpack(f">{len(sizes) // 4}I", sizes[: len(sizes) // 4 * 4]))
                if packed:
                    check_packing(promised, path.stat().st_size)
                return start + sizes + file.read(min(promised, LARGEST) + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"data={path} cannot be read: {error}; check the file or choose other data") from error


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
        return Dataset(fit_square(images, size) if size else images, sizes=stored_sizes(images), modes={"uint8": len(images)})
