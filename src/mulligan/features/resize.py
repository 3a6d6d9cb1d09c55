"""How images come to the size that a feature network wants: other filters move FID by several points (arXiv:2104.11222)."""

from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

Resize = Literal["tf-bilinear", "clean"]


def resize(images: Tensor, side: int, how: Resize) -> Tensor:
    """uint8 (N, C, H, W) -> float32 (N, C, side, side) from 0 to 255."""
    return tf_bilinear(images, side) if how == "tf-bilinear" else clean(images, side)


def tf_bilinear(images: Tensor, side: int) -> Tensor:
    """As TensorFlow 1 did it and FID is defined: bilinear, no antialiasing, the first pixels of both grids on each other."""
    values = images.float()
    for axis in (2, 3):
        length = images.shape[axis]
        places = torch.arange(side, dtype=torch.float64) * (length / side)
        below = places.long()
        share = (places - below).float().view(-1, 1) if axis == 2 else (places - below).float()
        lower, upper = values.index_select(axis, below), values.index_select(axis, (below + 1).clamp(max=length - 1))
        values = lower + (upper - lower) * share
    return values


def clean(images: Tensor, side: int) -> Tensor:
    """As clean-fid does it (arXiv:2104.11222): Pillow's antialiased bicubic, each channel as floats, cut to 0 to 255."""
    planes = images.flatten(0, 1).numpy().astype(np.float32)
    resized = [np.asarray(Image.fromarray(plane).resize((side, side), Image.Resampling.BICUBIC)) for plane in planes]
    return torch.from_numpy(np.stack(resized)).clamp(0, 255).unflatten(0, images.shape[:2])
