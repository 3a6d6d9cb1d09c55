"""What a network remembers about batches, and how to look through it without changing that.

The policy of this package: a player's move changes only the player. While the generator moves, the discriminator normalises with
its batch's statistics as always in training, but its running statistics (and the vectors of spectral norm) stay as they were; and
the other way round.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.utils.parametrizations import _SpectralNorm


def has_batch_statistics(net: nn.Module) -> bool:
    """Whether the output for one sample depends on the others in its batch."""
    return any(isinstance(module, _BatchNorm) for module in net.modules())


@contextmanager
def held_still(net: nn.Module) -> Iterator[None]:
    """Within, passes in training mode leave every buffer of the network as it is."""
    norms = [module for module in net.modules() if isinstance(module, _NormBase) and module.track_running_stats]
    spectral = [module for module in net.modules() if isinstance(module, _SpectralNorm) and module.training]
    for module in norms:
        module.track_running_stats = False
    for module in spectral:
        module.training = False
    try:
        yield
    finally:
        for module in norms:
            module.track_running_stats = True
        for module in spectral:
            module.training = True
