"""MNIST, in the package, and Fashion-MNIST, from the system or the cache: the same four IDX files each, checked by SHA-256."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from mulligan.data.idx import read_idx
from mulligan.data.images import image_dataset
from mulligan.errors import DataError
from mulligan.parts import Dataset
from mulligan.storage import cache_folder

Split = Literal["train", "test"]

MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
FASHION_SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
DIGITS = tuple("0123456789")
CLOTHES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")


@dataclass(frozen=True)
class Mnist:
    """60,000 (train) or 10,000 (test) handwritten digits, 28 x 28 grey; ships with the package."""

    split: Split = "train"

    def load(self, size: int | None) -> Dataset:
        return load_files(Path(__file__).parent / "mnist", MNIST_SHA256, self.split, DIGITS, size)

    def test_split(self) -> "Mnist":
        return Mnist("test")


@dataclass(frozen=True)
class FashionMnist:
    """60,000 (train) or 10,000 (test) pictures of clothes, 28 x 28 grey."""

    split: Split = "train"

    def load(self, size: int | None) -> Dataset:
        return load_files(fashion_folder(), FASHION_SHA256, self.split, CLOTHES, size)

    def test_split(self) -> "FashionMnist":
        return FashionMnist("test")


def fashion_folder() -> Path:
    """The first place that has the files: MULLIGAN_CACHE, the user's cache, Debian's package."""
    places = [cache_folder() / "fashion-mnist", Path("/usr/share/datasets/fashion-mnist")]
    for place in places:
        if (place / "train-images-idx3-ubyte.gz").is_file():
            return place
    raise DataError(
        f"data=fashion-mnist was not found in {' or '.join(map(str, places))}; install Debian's package dataset-fashion-mnist "
        f"or put its four .gz files into {places[0]}"
    )


def load_files(folder: Path, sums: Mapping[str, str], split: Split, names: tuple[str, ...], size: int | None) -> Dataset:
    prefix = "train" if split == "train" else "t10k"
    files = [f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"]
    images, labels = (torch.from_numpy(read_idx(folder / f"{name}.gz", sums[name])) for name in files)
    return image_dataset(images[:, None], size, labels.long(), names)
