"""The endless stream of batches: an order that is a function of (seed, images seen), and nothing else."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from mulligan.errors import DataError

SHUFFLE = 0x5F1E  # sets the stream's random numbers apart from a step's


class Stream:
    """Batches of `items`, shuffled without replacement in each epoch.

    A batch may span the end of an epoch, unless `whole_batches`: then the samples left over at an epoch's end sit it out.
    """

    def __init__(self, items: Tensor, batch: int, seed: int, *, whole_batches: bool = False, device: torch.device | str = "cpu"):
        if batch > len(items):
            raise DataError(
                f"batch={batch} is larger than the data, which has {len(items)} samples; use --batch {len(items)} or less"
            )
        self.items = items.to(device)
        self.batch, self.seed = batch, seed
        self.epoch_images = len(items) // batch * batch if whole_batches else len(items)
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def at(self, images_seen: int) -> Tensor:
        """The batch that follows after `images_seen` images, as stored: (batch, ...)."""
        return self.items[torch.from_numpy(self.positions(images_seen)).to(self.items.device)]

    def positions(self, images_seen: int) -> np.ndarray:
        """(batch,) int64: which samples come after `images_seen` images."""
        wanted = np.arange(images_seen, images_seen + self.batch)
        epochs, within = np.divmod(wanted, self.epoch_images)
        parts = [self._order(int(epoch))[within[epochs == epoch]] for epoch in np.unique(epochs)]
        return np.concatenate(parts)

    def _shuffled(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([SHUFFLE, self.seed, epoch]).permutation(len(self.items))
