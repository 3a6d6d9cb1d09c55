"""A folder of images: any sizes and modes, sub-folders as labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from mulligan.data.images import fit_square
from mulligan.errors import DataError
from mulligan.parts import Dataset

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
DEFAULT_SIZE = 64
GREY_MODES = {"1", "L", "LA"}


@dataclass(frozen=True)
class Folder:
    """Every image below a folder. When all lie in sub-folders, the first level of those are the labels."""

    path: str

    def load(self, size: int | None) -> Dataset:
        root = Path(self.path)
        if not root.is_dir():
            raise DataError(f"data={self.path} does not exist; give a folder of images, an array file or a known name")
        files = sorted(path for path in root.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
        if not files:
            raise DataError(f"data={self.path} holds no images; put {', '.join(sorted(ENDINGS))} files there or in sub-folders")
        images, kept, skipped = [], [], []
        for path in files:
            try:
                images.append(read_image(path, size or DEFAULT_SIZE))
                kept.append(path)
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                skipped.append(f"{path.relative_to(root)}: {' '.join(str(error).split())}")
        if not images:
            raise DataError(f"data={self.path} holds {len(files)} image files and none can be read; the first: {skipped[0]}")
        labels, names = folder_labels(root, kept)
        return Dataset(stack(images), labels, names, skipped=tuple(skipped))


def read_image(path: Path, size: int) -> Tensor:
    """One file -> uint8 (1, size, size) when it is grey, else (3, size, size); turned as its EXIF says."""
    with Image.open(path) as file:
        image = ImageOps.exif_transpose(file)
        if image.mode == "F" or image.mode.startswith("I"):
            image = sixteen_bit_to_eight(image)
        if "transparency" in image.info:
            image = image.convert("RGBA")  # what lies under transparent colours is shown, as for every other mode
        image = image.convert("L" if image.mode in GREY_MODES else "RGB")
    array = torch.from_numpy(np.array(image))
    return fit_square(array[None, None] if array.dim() == 2 else array.permute(2, 0, 1)[None], size)[0]


def sixteen_bit_to_eight(image: Image.Image) -> Image.Image:
    """Pillow would clip 16-bit grey at 255; divide instead. Floats up to 1 are taken for shares of white."""
    values = np.asarray(image, dtype=np.float32)
    white = 1.0 if image.mode == "F" and values.max() <= 1 else 65_535.0
    return Image.fromarray((values / white * 255).round().clip(0, 255).astype(np.uint8))


def stack(images: list[Tensor]) -> Tensor:
    """(N, 1, H, W) when every image is grey, else (N, 3, H, W)."""
    channels = max(image.shape[0] for image in images)
    return torch.stack([image.expand(channels, -1, -1) for image in images])


def folder_labels(root: Path, files: list[Path]) -> tuple[Tensor | None, tuple[str, ...]]:
    """The first sub-folder's name of each file as its label; None when some file lies in the root or there is one folder only."""
    tops = [path.relative_to(root).parts[0] if path.parent != root else None for path in files]
    if any(top is None for top in tops) or len(set(tops)) < 2:
        return None, ()
    names = sorted({top for top in tops if top})
    return torch.tensor([names.index(top) for top in tops if top]), tuple(names)
