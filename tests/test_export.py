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


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_array_has_as_many_channels_as_the_images(channels: int, tmp_path: Path) -> None:
    images = torch.rand(3, channels, 6, 5) * 2 - 1
    assert write_samples(images, str(tmp_path / "x.npz")) == tmp_path / "x.npz"
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays.files == ["samples"]
        assert arrays["samples"].dtype == np.uint8
        assert np.abs(arrays["samples"].transpose(0, 3, 1, 2) - (images.numpy() + 1) * 127.5).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_grid_shows_images_of_any_channels(channels: int, tmp_path: Path) -> None:
    write_samples(IMAGES[:, :1].expand(5, channels, 8, 6), str(tmp_path / "x.png"))
    with Image.open(tmp_path / "x.png") as picture:
        shown = [picture.convert("RGB").getpixel((20 + 44 * (index % 3), 20 + 58 * (index // 3))) for index in range(5)]
    assert shown == [(level, level, level) for level in LEVELS]


def test_a_folder_that_exists_needs_no_slash(tmp_path: Path) -> None:
    assert write_samples(IMAGES, str(tmp_path)) == tmp_path
    assert len(list(tmp_path.glob("*.png"))) == 5


def test_points_in_an_array_are_float32_of_any_dimension(tmp_path: Path) -> None:
    write_samples(torch.zeros(4, 7), str(tmp_path / "x.npz"))
    with np.load(tmp_path / "x.npz") as arrays:
        assert (arrays["samples"].dtype, arrays["samples"].shape) == (np.float32, (4, 7))


def test_a_scatter_shows_its_points_where_they_are(tmp_path: Path) -> None:
    write_samples(torch.tensor([[0.0, 0.0], [1.0, 1.0]]), str(tmp_path / "x.png"))
    with Image.open(tmp_path / "x.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    rows, columns = np.nonzero((pixels == (220, 80, 20)).all(2))
    low, high = rows > rows.mean(), rows < rows.mean()  # rows grow downwards
    assert columns[low].max() < columns[high].min()


def test_points_make_no_folder_of_pictures(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError) as caught:
        write_samples(torch.zeros(3, 2), str(tmp_path))
    assert str(caught.value) == f"--out={tmp_path} is not possible; use a path ending in .png or .npz"


def test_a_refused_path_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError):
        write_samples(IMAGES, f"{tmp_path}/deeper/x.gif")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["p.png/", "p.npz/", "folder/"])
def test_points_have_no_pictures_of_their_own_for_a_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"use a path ending in \.png or \.npz$"):
        write_samples(torch.zeros(3, 2), f"{tmp_path}/{name}")
    assert list(tmp_path.iterdir()) == []
