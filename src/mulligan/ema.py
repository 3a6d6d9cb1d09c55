"""The averaged generator: an exponential average of weights over images seen."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Ema:
    """Average the generator's weights with a half-life counted in images (arXiv:1710.10196, appendix A).

    Early on, the half-life is at most `ramp` of the images seen so far, so that the random start is soon forgotten
    (as in the StyleGAN2-ADA code). Running statistics are averaged like weights; counters are copied.
    """

    half_life_images: float = 10_000.0
    ramp: float = 0.05

    def weight(self, images_seen: int, step_images: int) -> float:
        """How much of the way the average moves towards the newest weights, in (0, 1]."""
        half_life = min(self.half_life_images, self.ramp * images_seen)
        return 1.0 if half_life <= 0 else 1.0 - 0.5 ** (step_images / half_life)


def averaged_copy(net: nn.Module) -> nn.Module:
    """A copy that starts equal, never needs gradients and stays in evaluation mode."""
    return copy.deepcopy(net).eval().requires_grad_(False)


@torch.no_grad()
def move_average(average: nn.Module, net: nn.Module, weight: float, sound: Tensor | None = None, *, look: bool = True) -> None:
    """Move every floating-point tensor of `average` the share `weight` towards `net`; copy the others.

    Nothing moves where `sound`, a () bool tensor, is False. Without a `look` at it the device is not waited for.
    """
    if sound is not None and look and not sound:
        return
    ours, theirs = list(tensors_of(average)), list(tensors_of(net))
    before = [target.clone() for target in ours] if sound is not None and not look else []
    floating = [number for number, tensor in enumerate(ours) if tensor.is_floating_point()]
    torch._foreach_lerp_(  # pyright: ignore[reportPrivateImportUsage]
        [ours[number] for number in floating], [theirs[number] for number in floating], weight
    )
    for target, source in zip(ours, theirs, strict=True):
        if not target.is_floating_point():
            target.copy_(source)
    for target, old in zip(ours if before else [], before, strict=True):
        assert sound is not None
        target.copy_(torch.where(sound, target, old))


def tensors_of(net: nn.Module) -> Iterator[Tensor]:
    """Weights and buffers: what `state_dict` holds, at a fifth of its time."""
    yield from net.parameters()
    yield from net.buffers()
