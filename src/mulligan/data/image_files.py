"""One image file, of any size and mode and perhaps damaged, as the pixels that the networks see."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from mulligan.data.bounds import MOST_IMAGE_BYTES, MOST_PIXELS
from mulligan.data.images import fit_square

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
KINDS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")  # by content; Pillow's others may start programs, as EPS does
GREY_MODES = {"1", "L", "LA"}
DEEP_MODES = {"F", "I", "I;16", "I;16B", "I;16L", "I;16N"}  # one channel of more than eight bits
DRAFTS = (2, 4, 8)  # how much smaller a JPEG can be decoded, on a side
TILE_TAGS = (322, 323)  # TIFF: the width and the length of a tile, which is decoded whole


@dataclass(frozen=True)
class ImageRead:
    """What came out of one file, and how it was stored."""

    pixels: Tensor  # uint8 (1, size, size) when it is grey, else (3, size, size)
    size: tuple[int, int]  # width and height
    mode: str  # Pillow's name: RGB, L, P, CMYK, ...


def read_image(file: BinaryIO, size: int) -> ImageRead:
    """The first picture in the file, turned as its EXIF says; ValueError, OSError or one of Pillow's many for what is none."""
    check_length(file)
    jpeg = starts_as_jpeg(file)
    with pillow_in_bounds(MOST_PIXELS * (DRAFTS[-1] ** 2 if jpeg else 1)):
        try:
            image = Image.open(file, formats=KINDS)
        except UnidentifiedImageError:
            raise ValueError(f"it is no image in one of the formats {', '.join(KINDS)}") from None
        except Image.DecompressionBombError:
            raise ValueError(f"its header claims more than {MOST_PIXELS:,} pixels; make it smaller") from None
        with image:
            stored, mode = image.size, image.mode
            if jpeg:
                reduce_jpeg(image, file)
            check_pixels(image)
            image.load()
            turn(image)
            array = torch.from_numpy(np.array(to_eight_bit(image)))
    channels = [array] if array.dim() == 2 else array.unbind(2)
    pixels = torch.cat([fit_square(channel[None, None], size)[0] for channel in channels])  # singly: floats are large
    return ImageRead(pixels, stored, mode)


def check_length(file: BinaryIO) -> None:
    length = file.seek(0, 2)
    file.seek(0)
    if length == 0:
        raise ValueError("it is empty")
    if length > MOST_IMAGE_BYTES:
        raise ValueError(f"it has {length:,} bytes, and up to {MOST_IMAGE_BYTES:,} are read")


def starts_as_jpeg(file: BinaryIO) -> bool:
    start = file.read(3)
    file.seek(0)
    return start == b"\xff\xd8\xff"


@contextmanager
def pillow_in_bounds(most_pixels: int) -> Iterator[None]:
    """Pillow checks a header's size before it makes room for it: let it check by our bound, and keep its warnings to itself."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = most_pixels // 2  # it warns at this and refuses at twice this
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def check_pixels(image: Image.Image) -> None:
    """ValueError when decoding would take too much memory, or there is nothing to decode."""
    tags = getattr(image, "tag_v2", {})
    tile = tuple(tags.get(tag, side) for tag, side in zip(TILE_TAGS, image.size, strict=True))
    width, height = max(image.size, tile, key=math.prod)
    if not 0 < width * height <= MOST_PIXELS:
        raise ValueError(f"its header claims {width} x {height} pixels, and up to {MOST_PIXELS:,} are read; make it smaller")


def reduce_jpeg(image: Image.Image, file: BinaryIO) -> None:
    """Have a JPEG above the bound decoded at a half, a quarter or an eighth, where that spares memory."""
    width, height = image.size
    if width * height > MOST_PIXELS and in_one_scan(file):
        fitting = (divisor for divisor in DRAFTS if -(-width // divisor) * -(-height // divisor) <= MOST_PIXELS)
        divisor = next(fitting, 1)
        image.draft(None, (width // divisor, height // divisor))


def in_one_scan(file: BinaryIO) -> bool:
    """Whether a JPEG is sequential with all components in its first scan; others are decoded at full size first, and kept."""
    position, components = file.tell(), 0
    file.seek(2)
    try:
        while True:
            marker, length = file.read(2), int.from_bytes(file.read(2), "big")
            content = file.read(max(length - 2, 0))
            if marker in (b"\xff\xc0", b"\xff\xc1") and len(content) > 5:
                components = content[5]
            if marker == b"\xff\xda" or marker[:1] != b"\xff" or not content:
                return marker == b"\xff\xda" and content[:1] == bytes([components])
    finally:
        file.seek(position)


def turn(image: Image.Image) -> None:
    """As the camera held it; a damaged EXIF block is no reason to lose the picture, which is loaded already."""
    with suppress(Exception):  # whatever such a block leads to
        ImageOps.exif_transpose(image, in_place=True)


def to_eight_bit(image: Image.Image) -> Image.Image:
    """Mode L for what is grey, RGB for everything else."""
    if image.mode in DEEP_MODES:
        image = sixteen_bit_to_eight(image)
    if "transparency" in image.info:
        image = image.convert("RGBA")  # what lies under transparent colours is shown, as for every other mode
    wanted = "L" if image.mode in GREY_MODES else "RGB"
    return image if image.mode == wanted else image.convert(wanted)


def sixteen_bit_to_eight(image: Image.Image) -> Image.Image:
    """Pillow would clip 16-bit grey at 255; divide instead. Floats up to 1 are taken for shares of white."""
    values = np.asarray(image, dtype=np.float32)
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are no finite numbers")
    white = 1.0 if image.mode == "F" and values.max() <= 1 else 65_535.0
    return Image.fromarray((values / white * 255).round().clip(0, 255).astype(np.uint8))
