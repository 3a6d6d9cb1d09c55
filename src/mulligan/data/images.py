"""Bringing images to the size that the networks see."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from mulligan.parts import Dataset

CHUNK = 4096  # images resized at once: bounds the memory that float copies take


def image_dataset(images: Tensor, size: int | None, labels: Tensor | None = None, label_names: tuple[str, ...] = ()) -> Dataset:
    """uint8 (N, C, H, W) of one size -> the dataset of them at `size`; None: as they are."""
    sizes = {f"{images.shape[3]}x{images.shape[2]}": len(images)}
    return Dataset(fit_square(images, size) if size else images, labels, label_names, sizes=sizes)


def fit_square(images: Tensor, size: int) -> Tensor:
    """uint8 (N, C, H, W) -> uint8 (N, C, size, size): the centred square, resized bilinearly with antialiasing."""
    side = min(images.shape[2:])
    top, left = ((length - side) // 2 for length in images.shape[2:])
    square = images[:, :, top : top + side, left : left + side]
    if side == size:
        return square.contiguous()
    chunks = [resized(chunk, size) for chunk in square.split(CHUNK)]
    return torch.cat(chunks)


def resized(images: Tensor, size: int) -> Tensor:
    pixels = interpolate(images.float(), (size, size), mode="bilinear", align_corners=False, antialias=True)
    return pixels.round_().clamp_(0, 255).to(torch.uint8)
