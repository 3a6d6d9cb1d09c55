"""One image file, whatever it is, within bounds: its header is looked at before any pixel takes memory."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from mulligan.data.images import fit_square

LARGEST_DECODED = 128 << 20  # bytes of pixels: beyond, an image is skipped (a JPEG is decoded at a smaller scale first)
LARGE = 24 << 20  # bytes of pixels: beyond, an image is halved before it is worked on
GREY_MODES = {"1", "L", "LA"}
REDUCIBLE = {"L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112  # the EXIF tag


class Unreadable(Exception):
    """Why a file cannot be used, in words; it is skipped and listed."""


@dataclass(frozen=True)
class Picture:
    pixels: Tensor  # uint8 (1, size, size) when it is grey, else (3, size, size)
    size: str  # as stored: width x height
    mode: str  # as stored, in Pillow's words


def read_picture(file: Path | BinaryIO, size: int) -> Picture:
    """Decode, turn as the EXIF says, cut out the centred square and resize; Unreadable with the reason when that cannot be done."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd files: what matters is raised, or bounded here
            with Image.open(file) as image:
                stored = f"{image.width}x{image.height}"
                mode = image.mode
                return Picture(to_pixels(image, size), stored, mode)
    except UnidentifiedImageError as error:
        raise Unreadable("it is no image, or of a kind that Pillow does not know") from error
    except (Image.DecompressionBombError, Unreadable) as error:
        raise Unreadable(" ".join(str(error).split())) from error
    except Exception as error:  # a damaged file makes Pillow and its libraries raise nearly anything; all of it means the same
        raise Unreadable(f"it is damaged: {' '.join(str(error).split()) or type(error).__name__}") from error


def to_pixels(image: Image.Image, size: int) -> Tensor:
    if decoded_bytes(image) > LARGEST_DECODED:
        image.draft(image.mode, (2 * size, 2 * size))  # a JPEG can be decoded at a half, a quarter or an eighth
    if (needed := decoded_bytes(image)) > LARGEST_DECODED:
        sides, limit = f"{image.width} x {image.height}", LARGEST_DECODED >> 20
        raise Unreadable(f"it is {sides} and would take {needed >> 20:,} MiB, more than {limit}; make it smaller")
    turn = TURNS.get(orientation(image))
    made = image
    if needed > LARGE and image.mode in REDUCIBLE:
        made = image.reduce(max(1, min(image.size) // (2 * size)))
    if made.mode == "F" or made.mode.startswith("I"):
        made = sixteen_bit_to_eight(made)
    if "transparency" in made.info:
        made = made.convert("RGBA")  # what lies under transparent colours is shown, as for every other mode
    made = made.convert("L" if made.mode in GREY_MODES else "RGB")
    made = made.transpose(turn) if turn is not None else made
    array = torch.from_numpy(np.array(made))
    return fit_square(array[None, None] if array.dim() == 2 else array.permute(2, 0, 1)[None], size)[0]


def decoded_bytes(image: Image.Image) -> int:
    """What the pixels take in memory, and what they are converted to, when that cannot wait until they are fewer."""
    each = 4 if image.mode in ("I", "F") else 2 if image.mode.startswith("I") else len(image.getbands())
    return image.width * image.height * (each + (0 if image.mode in REDUCIBLE else 4))


def orientation(image: Image.Image) -> int:
    """As the camera says; upright when it cannot be read."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF raises nearly anything, and is no reason to lose the picture
        return 1


def sixteen_bit_to_eight(image: Image.Image) -> Image.Image:
    """Pillow would clip 16-bit grey at 255; divide instead. Floats up to 1 are taken for shares of white."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    white = 1.0 if image.mode == "F" and values.max() <= 1 else 65_535.0
    return Image.fromarray((values / white * 255).round().clip(0, 255).astype(np.uint8))
