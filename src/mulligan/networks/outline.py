"""What a network would take, before any memory is taken for it."""

import os
from collections.abc import Callable

import torch
from torch import nn

from mulligan.parts import Shape


def outline_of(build: Callable[[], nn.Module]) -> dict[str, Shape] | None:
    """The shape of every weight and buffer by name; None for a network that cannot be built without memory."""
    try:
        with torch.device("meta"):
            return {name: tuple(value.shape) for name, value in build().state_dict().items()}
    except (NotImplementedError, RuntimeError):
        return None


def memory_here() -> int | None:
    """Bytes of memory that this machine has; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
