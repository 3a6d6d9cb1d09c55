"""Bringing images to the size that the networks see."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

CHUNK = 4096  # images resized at once: bounds the memory that float copies take


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
