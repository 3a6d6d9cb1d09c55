"""Bringing images to the size that the networks see."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

SUSPECT = 64 << 20  # unpacked bytes above which the packing is looked at
MOST_PACKED = 100  # times: pictures never pack that well
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


def stored_sizes(images: Tensor) -> dict[str, int]:
    """(N, C, H, W) -> how many there are in each size: all in one."""
    return {f"{images.shape[3]}x{images.shape[2]}": len(images)}


def check_packing(unpacked: int, packed: int) -> None:
    """ValueError for what is so small and would be so large that it can only be meant to fill the memory."""
    if unpacked > SUSPECT and unpacked > MOST_PACKED * packed:
        raise ValueError(f"it would unpack from {packed:,} to {unpacked:,} bytes, as only a bomb does")


def resized(images: Tensor, size: int) -> Tensor:
    pixels = interpolate(images.float(), (size, size), mode="bilinear", align_corners=False, antialias=True)
    return pixels.round_().clamp_(0, 255).to(torch.uint8)
