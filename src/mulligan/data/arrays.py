"""NumPy files: images as integers or floats, or points."""

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor

from mulligan.data.images import check_packing, fit_square, stored_sizes
from mulligan.errors import DataError
from mulligan.parts import Dataset

ITEM_KEYS = ("samples", "images", "x", "points", "data")  # tried in this order, then a single array of any name
LABEL_KEYS = ("labels", "y")
MOST_LABELS = 1_000_000
LARGEST = 64 << 30  # bytes of an array: more than this in a header is taken for damage, not allocated


@dataclass(frozen=True)
class ArrayFile:
    """An `.npy` array, or an `.npz` with one of `samples`, `images`, `x`, `points`, `data` and perhaps `labels`.

    Images are uint8 (N, H, W), (N, H, W, C) or (N, C, H, W), or floats in [0, 1] or [-1, 1]; points are floats (N, D).
    """

    path: str

    def load(self, size: int | None) -> Dataset:
        items, labels = read_arrays(Path(self.path))
        if items.size == 0:
            raise DataError(f"data={self.path} is empty: shape {items.shape}; give at least one sample")
        label_tensor, names = as_labels(labels, items, self.path)
        if items.ndim == 2:
            return Dataset(as_points(items, self.path), label_tensor, names)
        images = as_images(items, self.path)
        fitted = fit_square(images, size) if size else images
        return Dataset(fitted, label_tensor, names, sizes=stored_sizes(images), modes={str(items.dtype): len(items)})


def read_arrays(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """The samples, and the labels if there are any; never unpickles."""
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                return read_npy(file, path.stat().st_size), None
        arrays = read_npz(path)
    except Exception as error:  # NumPy and zipfile raise a dozen kinds for a damaged file; all mean the same to a person
        raise DataError(f"data={path} cannot be read as a NumPy file: {error}; save it with numpy.save or numpy.savez") from error
    labels = next((arrays.pop(key) for key in LABEL_KEYS if key in arrays), None)
    items = next((arrays[key] for key in (*ITEM_KEYS, *arrays) if key in arrays), None)
    if items is None:
        raise DataError(f"data={path} has none of the arrays {', '.join(ITEM_KEYS)}; name the samples one of these")
    return items, labels


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays whose names are known, or the only one there is; no member is unpacked beyond what its own header promises."""
    with zipfile.ZipFile(path) as archive:
        members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
        known = {name: member for name, member in members.items() if name in (*ITEM_KEYS, *LABEL_KEYS) or len(members) == 1}
        arrays = {}
        for name, member in known.items():
            check_packing(member.file_size, member.compress_size)
            with archive.open(member) as file:
                arrays[name] = read_npy(file, member.file_size)
        return arrays


def read_npy(file: IO[bytes], size: int) -> np.ndarray:
    """An array from a file that says it has `size` bytes; ValueError when its header promises anything else, or objects."""
    major, _ = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(file)
    count = math.prod(shape)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which could run code")
    if min(shape, default=0) < 0 or count * dtype.itemsize > min(size, LARGEST):
        raise ValueError(f"its header promises {count:,} values of {dtype} and the file has {size:,} bytes")
    content = file.read(count * dtype.itemsize)
    if len(content) < count * dtype.itemsize:
        raise ValueError("it is cut off")
    array = np.frombuffer(content, dtype, count).reshape(shape, order="F" if fortran else "C")
    return array.copy()


def as_labels(labels: np.ndarray | None, items: np.ndarray, path: str) -> tuple[Tensor | None, tuple[str, ...]]:
    """Whole numbers from 0, one for each sample -> int64 (N,) and their names."""
    if labels is None:
        return None, ()
    if items.ndim == 0 or labels.shape != (len(items),):
        raise DataError(f"data={path} has {len(items)} samples and labels of shape {labels.shape}; give one label each")
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= MOST_LABELS:
        raise DataError(
            f"data={path} has labels that are not whole numbers from 0 to a million (they are {labels.dtype}); number the classes"
        )
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
    # the shorter of the two outer sides holds the channels; between equals the last, as Pillow and Matplotlib have it
    channels_last = images.shape[3] <= images.shape[1]
    return images.permute(0, 3, 1, 2).contiguous() if channels_last else images


def floats_to_bytes(items: np.ndarray, path: str) -> np.ndarray:
    """Floats in [0, 1] or [-1, 1] -> uint8."""
    if not np.issubdtype(items.dtype, np.floating) or not np.isfinite(items).all():
        raise DataError(f"data={path} holds {items.dtype} images; give uint8, or finite floats in [0, 1] or [-1, 1]")
    low, high = float(items.min()), float(items.max())
    if low < -1.001 or high > 1.001:
        raise DataError(f"data={path} holds floats from {low:g} to {high:g}; give uint8, or floats in [0, 1] or [-1, 1]")
    unit = (items + 1) / 2 if low < -0.001 else items
    return np.round(unit * 255).clip(0, 255).astype(np.uint8)
