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


def test_an_empty_folder_says_what_to_put_there(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(DataError) as caught:
        Folder(str(tmp_path)).load(8)
    assert str(caught.value) == (
        f"data={tmp_path} holds no images; put .bmp, .gif, .jpeg, .jpg, .png, .tif, .tiff, .webp files there or in sub-folders"
    )


def test_a_picture_lying_on_its_side_is_set_up(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16), np.uint8)
    pixels[:, :8] = 255  # white on the left as stored
    Image.fromarray(pixels).save(tmp_path / "stored.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise shows it upright
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    stored, turned = Folder(str(tmp_path)).load(16).items[:, 0]
    assert torch.equal(stored, torch.from_numpy(pixels))
    assert torch.equal(turned, torch.from_numpy(np.rot90(pixels, -1).copy()))


def test_sixteen_bits_keep_their_levels(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(levels * 257).save(tmp_path / "deep.png")
    assert torch.equal(Folder(str(tmp_path)).load(16).items[0, 0], torch.from_numpy(levels.astype(np.uint8)))


def test_sixteen_bits_stored_big_endian_keep_their_levels(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16)
    Image.frombytes("I;16B", (16, 16), (levels * 257).astype(">u2").tobytes()).save(tmp_path / "deep.tif")
    items = Folder(str(tmp_path)).load(16).items
    assert all(torch.equal(channel, torch.from_numpy(levels.astype(np.uint8))) for channel in items[0])


def test_colours_stay_in_their_channels(tmp_path: Path) -> None:
    Image.new("RGB", (9, 9), (10, 120, 250)).save(tmp_path / "a.png")
    assert Folder(str(tmp_path)).load(4).items[0].flatten(1).float().mean(1).tolist() == [10, 120, 250]


def test_a_palette_with_transparent_colours_is_read_without_a_warning(tmp_path: Path) -> None:
    picture("P").save(tmp_path / "a.png", transparency=bytes([0, 255, 128]))
    assert len(Folder(str(tmp_path)).load(8)) == 1


def test_the_middle_of_a_tall_picture_is_cut_out(tmp_path: Path) -> None:
    pixels = np.zeros((30, 10), np.uint8)
    pixels[10:20] = 255
    Image.fromarray(pixels).save(tmp_path / "tall.png")
    assert (Folder(str(tmp_path)).load(10).items == 255).all()


def test_labels_stay_with_their_pictures_when_a_file_is_skipped(tmp_path: Path) -> None:
    for label, level in (("ant", 10), ("bee", 20)):
        (tmp_path / label).mkdir()
        (tmp_path / label / "0.png").write_bytes(b"")
        picture(level=level).save(tmp_path / label / "1.png")
    data = Folder(str(tmp_path)).load(8)
    assert data.labels is not None
    assert [(int(label), int(item.max())) for label, item in zip(data.labels, data.items, strict=True)] == [(0, 10), (1, 20)]
    assert len(data.skipped) == 2


def test_a_single_sub_folder_is_no_label(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    picture().save(tmp_path / "all" / "a.png")
    data = Folder(str(tmp_path)).load(8)
    assert data.labels is None
    assert data.label_names == ()


def test_endings_may_be_capitals_and_names_may_be_any_text(tmp_path: Path) -> None:
    for name in ("IMG 001.PNG", "图片 一.JPG", "a.b c.jpeg"):
        picture().save(tmp_path / name)
    assert len(Folder(str(tmp_path)).load(8)) == 3


def test_a_picture_cut_off_anywhere_is_skipped_or_read_and_never_an_error(tmp_path: Path) -> None:
    picture().save(tmp_path / "good.png")
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8))
    for name in ("cut.png", "cut.jpg", "cut.gif"):
        noise.save(tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        for length in range(0, len(whole) - 40, 31):
            (tmp_path / name).write_bytes(whole[:length])
            data = Folder(str(tmp_path)).load(8)
            assert len(data) + len(data.skipped) == 2
        assert data.skipped[0].startswith(f"{name}: ")
        (tmp_path / name).unlink()
