"""Samples as files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mulligan.errors import ArgumentError
from mulligan.export import write_samples

IMAGES = torch.linspace(-1, 1, 5).reshape(5, 1, 1, 1).expand(5, 3, 8, 6)
LEVELS = [0, 64, 128, 191, 255]


def test_a_path_in_png_is_one_grid(tmp_path: Path) -> None:
    write_samples(IMAGES, str(tmp_path / "deeper" / "grid.png"))
    with Image.open(tmp_path / "deeper" / "grid.png") as picture:
        assert picture.size == (3 * 42 + 2 * 2, 2 * 56 + 2)
        assert picture.getpixel((20, 20)) == (0, 0, 0)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_a_folder_gets_a_picture_each(channels: int, mode: str, tmp_path: Path) -> None:
    write_samples(IMAGES[:, :1].expand(5, channels, 8, 6), f"{tmp_path}/out/")
    files = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in files] == [f"{index:06d}.png" for index in range(5)]
    for path, level in zip(files, LEVELS, strict=True):
        with Image.open(path) as picture:
            assert picture.mode == mode
            assert picture.size == (6, 8)
            assert np.unique(np.asarray(picture)).tolist() == [level]


def test_an_array_holds_bytes_with_channels_last(tmp_path: Path) -> None:
    write_samples(IMAGES, str(tmp_path / "x.npz"))
    with np.load(tmp_path / "x.npz") as arrays:
        samples = arrays["samples"]
    assert samples.dtype == np.uint8
    assert samples.shape == (5, 8, 6, 3)
    assert samples[:, 0, 0, 0].tolist() == LEVELS


def test_points_are_floats_in_an_array_or_a_scatter(tmp_path: Path) -> None:
    points = torch.randn(9, 2)
    write_samples(points, str(tmp_path / "x.npz"))
    with np.load(tmp_path / "x.npz") as arrays:
        assert np.array_equal(arrays["samples"], points.numpy())
    write_samples(points, str(tmp_path / "x.png"))
    with Image.open(tmp_path / "x.png") as picture:
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 2


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError) as caught:
        write_samples(IMAGES, f"{tmp_path}/x.gif")
    assert str(caught.value) == f"--out={tmp_path}/x.gif is not possible; use a path ending in .png or .npz, or a folder"
