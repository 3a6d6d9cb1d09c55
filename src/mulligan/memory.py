"""When there is not enough memory: how PyTorch says so on each device."""

import torch

SAYINGS = ("out of memory", "can't allocate memory", "not enough memory")


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device, or the machine, has no memory left."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(saying in str(error).lower() for saying in SAYINGS)
    )
