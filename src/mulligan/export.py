"""Samples leaving as files: a grid, a folder of images, or an array."""

import math
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from mulligan.errors import ArgumentError
from mulligan.pictures import Scatter, Scene, tile
from mulligan.storage import storage_errors, write_picture
from mulligan.views import to_uint8


def write_samples(samples: Tensor, out: str) -> Path:
    """Images (N, C, H, W) in [-1, 1] or points (N, D) to `out`, by its ending; returns the path written.

    `.png`: one grid (points: a scatter). `.npz`: the array `samples`, uint8 (N, H, W, C) or float32 (N, D). A folder, or a
    path that ends in a slash: one PNG per image, `000000.png` onwards.
    """
    path = Path(out)
    as_folder = out.endswith(("/", "\\")) or path.is_dir()
    images = to_uint8(samples) if samples.dim() == 4 else None
    if not (images is not None if as_folder else path.suffix in (".png", ".npz")):
        raise ArgumentError(
            f"--out={out} is not possible; use a path ending in .png or .npz{'' if images is None else ', or a folder'}"
        )
    with storage_errors(path):
        (path if as_folder else path.parent).mkdir(parents=True, exist_ok=True)
        if as_folder and images is not None:
            for index, image in enumerate(images):
                write_picture(path / f"{index:06d}.png", as_picture(image))
        elif path.suffix == ".npz":
            np.savez_compressed(path, samples=samples.numpy() if images is None else images)
        else:
            write_picture(path, scatter(samples.numpy()) if images is None else tile(images, math.ceil(math.sqrt(len(images)))))
    return path


def as_picture(image: np.ndarray) -> Image.Image:
    """uint8 (H, W, C) -> grey, RGB or RGBA; other numbers of channels show their first three."""
    channels = image.shape[2]
    return Image.fromarray(image[..., 0] if channels < 3 else image[..., : 4 if channels == 4 else 3])


def scatter(points: np.ndarray) -> Image.Image:
    scene = Scene(points[:0], points, lambda places: np.ones(len(places)), f"{len(points):,} samples", 0, 0, 0)
    return Scatter().draw(scene)
