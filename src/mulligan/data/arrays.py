"""NumPy files: images as bytes or floats, or points."""

import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor

from mulligan.data.bounds import MOST_ARRAY_BYTES, open_file, read_bytes, reason
from mulligan.data.images import image_dataset
from mulligan.data.members import open_member, open_zip
from mulligan.errors import DataError
from mulligan.parts import Dataset

ITEM_KEYS = ("samples", "images", "x", "points", "data")  # tried in this order, then a single array of any name
LABEL_KEYS = ("labels", "y")
HEADER = 16 << 10  # bytes: more than NumPy itself believes of a header
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
MOST_CHANNELS = 4
MOST_CLASSES = 100_000


@dataclass(frozen=True)
class ArrayFile:
    """An `.npy` array, or an `.npz` with one of `samples`, `images`, `x`, `points`, `data` and perhaps `labels`.

    Images are uint8 (N, H, W), (N, H, W, C) or (N, C, H, W), or floats in [0, 1] or [-1, 1]; points are floats (N, D).
    Channels are the shorter of the two axes; where both could be, those that leave a square picture.
    """

    path: str

    def load(self, size: int | None) -> Dataset:
        items, labels = read_arrays(Path(self.path))
        if items.size == 0:
            raise DataError(f"data={self.path} is empty: shape {items.shape}; give at least one sample")
        label_tensor, names = as_labels(labels, items, self.path)
        if items.ndim == 2:
            return Dataset(as_points(items, self.path), label_tensor, names)
        return image_dataset(as_images(items, self.path), size, label_tensor, names)


def read_arrays(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """The samples, and the labels if there are any; never unpickles."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a damaged header makes Python's parser warn before it refuses
            with open_file(path) as file:
                several = file.read(4) in ZIP_STARTS
                length = file.seek(0, 2)
                file.seek(0)
                if not several:
                    return read_array(file, length), None
            arrays = read_members(path)
    except DataError:
        raise
    except Exception as error:  # NumPy and zipfile raise a dozen kinds for a damaged file; all mean the same to a person
        raise DataError(
            f"data={path} cannot be read as a NumPy file: {reason(error)}; save it with numpy.save or numpy.savez"
        ) from error
    labels = next((arrays.pop(key) for key in LABEL_KEYS if key in arrays), None)
    items = next((arrays[key] for key in (*ITEM_KEYS, *arrays) if key in arrays), None)
    if items is None:
        raise DataError(f"data={path} has none of the arrays {', '.join(ITEM_KEYS)}; name the samples one of these")
    return items, labels


def read_members(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` whose names we know, or its only one."""
    with open_zip(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        wanted = [key for key in members if key in (*ITEM_KEYS, *LABEL_KEYS) or len(members) == 1]
        arrays = {}
        for key in wanted:
            with open_member(archive, members[key], MOST_ARRAY_BYTES) as stream:
                arrays[key] = read_array(stream, members[key].file_size)
        return arrays


def read_array(stream: BinaryIO, length: int) -> np.ndarray:
    """The array in an `.npy` stream of `length` bytes; ValueError when its header does not fit that. Room is made after this."""
    head = io.BytesIO(stream.read(HEADER))
    version = npy.read_magic(head)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"its format is {version[0]}.{version[1]}, which only arrays of records have")
    shape, by_columns, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(head)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never unpacked")
    count = math.prod(shape)
    if min(shape, default=0) < 0 or dtype.itemsize == 0:
        raise ValueError(f"its header is damaged: shape {shape} of {dtype}")
    wanted = count * dtype.itemsize
    if wanted > length - head.tell():
        raise ValueError(f"its header promises {wanted:,} bytes of shape {shape} and {length - head.tell():,} follow")
    content = read_bytes(stream, wanted, head.read())
    if len(content) < wanted:
        raise ValueError(f"its header promises {wanted:,} bytes and {len(content):,} follow")
    stream.read(1)  # at a member's end its checksum is looked at
    return content.view(dtype).reshape(shape[::-1]).transpose() if by_columns else content.view(dtype).reshape(shape)


def as_labels(labels: np.ndarray | None, items: np.ndarray, path: str) -> tuple[Tensor | None, tuple[str, ...]]:
    """Whole numbers from 0, one for each sample -> int64 (N,) and their names."""
    if labels is None:
        return None, ()
    if items.ndim == 0 or labels.shape != (len(items),):
        raise DataError(f"data={path} has {len(items)} samples and labels of shape {labels.shape}; give one label each")
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise DataError(f"data={path} has labels that are not whole numbers from 0 (they are {labels.dtype}); number the classes")
    if labels.max() >= MOST_CLASSES:
        raise DataError(f"data={path} has labels up to {labels.max()}; number the classes from 0, {MOST_CLASSES:,} at most")
    return torch.from_numpy(labels.astype(np.int64)), tuple(map(str, range(int(labels.max()) + 1)))


def as_points(items: np.ndarray, path: str) -> Tensor:
    """Real numbers (N, D) -> float32 (N, D)."""
    real = np.issubdtype(items.dtype, np.floating) or np.issubdtype(items.dtype, np.integer)
    if not real or not (np.abs(items) <= np.finfo(np.float32).max).all():
        raise DataError(f"data={path} holds points that are not finite numbers; remove those rows")
    return torch.from_numpy(items.astype(np.float32))


def as_images(items: np.ndarray, path: str) -> Tensor:
    """(N, H, W), (N, H, W, C) or (N, C, H, W) -> uint8 (N, C, H, W)."""
    if items.ndim not in (3, 4):
        raise DataError(f"data={path} has shape {items.shape}; images need (N, H, W), (N, H, W, C) or (N, C, H, W), points (N, D)")
    if items.dtype != np.uint8:
        items = floats_to_bytes(items, path)
    images = torch.from_numpy(items)
    if images.dim() == 3:
        return images[:, None]
    return images.permute(0, 3, 1, 2).contiguous() if channels_are_last(items.shape) else images


def channels_are_last(shape: tuple[int, ...]) -> bool:
    """Whether four sizes are (N, H, W, C) and not (N, C, H, W).

    Channels are fewer than rows and columns. Where both ends have four or fewer, a square picture decides first, and at a tie
    they are last.
    """
    first, middle, last = shape[1:]
    could_be_both = max(first, last) <= MOST_CHANNELS
    if could_be_both and (first == middle) != (middle == last):
        return first == middle
    return last < first or (could_be_both and last == first)


def floats_to_bytes(items: np.ndarray, path: str) -> np.ndarray:
    """Floats in [0, 1] or [-1, 1] -> uint8."""
    if not np.issubdtype(items.dtype, np.floating):
        raise DataError(f"data={path} holds {items.dtype} images; save them as uint8 from 0 to 255, or floats in [0, 1] or [-1, 1]")
    if not np.isfinite(items).all():
        raise DataError(f"data={path} holds images with values that are no finite numbers; remove those")
    low, high = float(items.min()), float(items.max())
    if low < -1.001 or high > 1.001:
        raise DataError(f"data={path} holds floats from {low:g} to {high:g}; give uint8, or floats in [0, 1] or [-1, 1]")
    unit = (items + 1) / 2 if low < -0.001 else items
    return np.round(unit * 255).clip(0, 255).astype(np.uint8)
