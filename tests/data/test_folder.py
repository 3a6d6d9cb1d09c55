"""Folders of images as people have them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mulligan.data import Folder
from mulligan.errors import DataError

MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16"]


def picture(mode: str = "RGB", size: tuple[int, int] = (20, 12), level: int = 200) -> Image.Image:
    """One grey level in any mode."""
    if mode == "I;16":
        return Image.fromarray(np.full(size[::-1], level * 257, np.uint16))
    return Image.new("L", size, level).convert("RGB").convert(mode)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_read_at_its_brightness(mode: str, tmp_path: Path) -> None:
    name = "one.tif" if mode in ("CMYK", "YCbCr", "I;16") else "one.png"
    level = 255 if mode == "1" else 200
    picture(mode if mode != "HSV" else "RGB", level=level).save(tmp_path / name)
    data = Folder(str(tmp_path)).load(8)
    assert data.items.shape[0] == 1
    assert data.items.float().mean().item() == pytest.approx(level, abs=4)  # a palette and JPEG's colours round


def test_the_centre_is_cut_out_and_resized(tmp_path: Path) -> None:
    pixels = np.zeros((10, 30), np.uint8)
    pixels[:, 10:20] = 255  # a white middle between black sides
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    assert (Folder(str(tmp_path)).load(5).items == 255).all()


def test_pictures_are_turned_as_their_camera_says(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16), np.uint8)
    pixels[:8] = 255  # white above black
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    (image,) = Folder(str(tmp_path)).load(16).items
    assert image[0, :7].float().mean() < 5
    assert image[0, 9:].float().mean() > 250


def test_sub_folders_are_labels_in_order(tmp_path: Path) -> None:
    for label, count in (("zebra", 1), ("ant", 2), ("猫 und Hund", 1)):
        (tmp_path / label / "deeper").mkdir(parents=True)
        for index in range(count):
            picture().save(tmp_path / label / "deeper" / f"a picture {index}.png")
    data = Folder(str(tmp_path)).load(8)
    assert data.label_names == ("ant", "zebra", "猫 und Hund")
    assert data.labels is not None
    assert data.labels.tolist() == [0, 0, 1, 2]


def test_a_picture_beside_the_sub_folders_means_no_labels(tmp_path: Path) -> None:
    for name in ("a/x.png", "b/x.png", "x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        picture().save(tmp_path / name)
    assert Folder(str(tmp_path)).load(8).labels is None


def test_grey_pictures_stay_grey_until_one_has_colour(tmp_path: Path) -> None:
    picture("L").save(tmp_path / "a.png")
    assert Folder(str(tmp_path)).load(8).items.shape == (1, 1, 8, 8)
    picture("RGB").save(tmp_path / "b.png")
    data = Folder(str(tmp_path)).load(8)
    assert data.items.shape == (2, 3, 8, 8)
    assert torch.equal(data.items[0], data.items[1])


def test_what_cannot_be_read_is_skipped_with_its_reason(tmp_path: Path) -> None:
    picture().save(tmp_path / "good.png")
    picture().save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:200])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "notes.txt").write_text("passed over silently: no picture's ending")
    data = Folder(str(tmp_path)).load(8)
    assert len(data) == 1
    assert [line.split(":")[0] for line in data.skipped] == ["cut.jpg", "empty.png", "text.png"]
    assert all(len(line.split(": ", 1)[1]) > 5 for line in data.skipped)


def test_a_folder_that_is_missing_empty_or_unreadable_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError) as missing:
        Folder(str(tmp_path / "no")).load(8)
    assert str(missing.value) == f"data={tmp_path}/no does not exist; give a folder of images, an array file or a known name"
    (tmp_path / "bad.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"holds 1 image files and none can be read; the first: bad\.png: "):
        Folder(str(tmp_path)).load(8)


def test_without_a_size_pictures_come_at_sixty_four(tmp_path: Path) -> None:
    picture(size=(100, 80)).save(tmp_path / "a.png")
    assert Folder(str(tmp_path)).load(None).items.shape == (1, 3, 64, 64)
