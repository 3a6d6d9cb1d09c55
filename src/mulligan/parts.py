"""The contracts between the parts of a game: what a loss, a penalty, a network or a data source must offer.

A part says what it costs; only a player moves. A part is a small frozen dataclass: it never calls `backward` or `step`,
never prints, never reads a clock. Yours needs no base class from here: the right methods are enough.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

Shape = tuple[int, ...]  # of one sample: (C, H, W) for images, (D,) for points
Terms = dict[str, Tensor]  # what a player minimises, by name: each (N,), one value per sample
Progress = float | Tensor  # how far a run has come, 0 to 1; a () tensor where a step is recorded once and played many times
SIDES = ("real", "fake")


class AdversarialLoss:
    """What each player pays for the discriminator's logits. Both methods return (N,), one value per sample."""

    logits: ClassVar[int] = 1  # how many numbers the discriminator gives for one sample
    generator_sees_real: ClassVar[bool] = False  # whether `generator` needs the logits of real samples
    log_odds: ClassVar[bool] = True  # whether sigmoid(margin) is the probability of being real

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        raise NotImplementedError

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        raise NotImplementedError

    def margin(self, logits: Tensor) -> Tensor:
        """(N,) or (N, logits) -> (N,): how strongly the discriminator holds a sample for real."""
        return logits


class Look:
    """One look of the discriminator at real and fake samples, and how steep it is there.

    `real` and `fake` are (N, ...) leaves; `real_logits` and `fake_logits` are (N,) or (N, K). With `together` both go through
    the network in one pass, which is only the same thing when the network keeps no statistics over the batch. `steep` says
    whether gradients will be asked for, or of which sides.
    """

    def __init__(
        self,
        score: Callable[[Tensor], Tensor],
        loss: AdversarialLoss,
        real: Tensor,
        fake: Tensor,
        *,
        together: bool = False,
        steep: bool | Collection[str] = False,
        progress: Progress = 0.0,
    ):
        self.score, self.loss, self.progress = score, loss, progress
        sides = SIDES if steep is True else steep or ()
        # where only one side's gradient is asked for, a joint pass would take the other's too
        self._together = together and len(sides) != 1
        if self._together:
            self._both = torch.cat([real, fake]).detach().requires_grad_(bool(sides))
            self._logits = score(self._both)
            self.real, self.fake = self._both.split([len(real), len(fake)])
            self.real_logits, self.fake_logits = self._logits.split([len(real), len(fake)])
        else:
            self.real, self.fake = (x.detach().requires_grad_(side in sides) for side, x in zip(SIDES, (real, fake), strict=True))
            self.real_logits, self.fake_logits = score(self.real), score(self.fake)

    @cached_property
    def real_gradient(self) -> Tensor:
        """(N, ...): the gradient of the margin at each real sample, itself differentiable."""
        if self._together:
            return self._both_gradient[: len(self.real)]
        return self.gradient(self.real_logits, self.real)

    @cached_property
    def fake_gradient(self) -> Tensor:
        """(N, ...): the gradient of the margin at each fake sample, itself differentiable."""
        if self._together:
            return self._both_gradient[len(self.real) :]
        return self.gradient(self.fake_logits, self.fake)

    @cached_property
    def _both_gradient(self) -> Tensor:
        return self.gradient(self._logits, self._both)

    def gradient(self, logits: Tensor, inputs: Tensor) -> Tensor:
        """The gradient of each sample's margin with respect to that sample; differentiable once more."""
        return torch.autograd.grad(self.loss.margin(logits).sum(), inputs, create_graph=True)[0].float()


@runtime_checkable
class Penalty(Protocol):
    """A price for how the discriminator looks; its term in the log carries `name`.

    One that looks at the gradients of one side only, or of none, can say so in `sides`, and is quicker for it.
    """

    name: ClassVar[str]

    @property
    def every(self) -> int:
        """Applied on every `every`-th discriminator update, that many times as strongly."""
        ...

    def __call__(self, look: Look) -> Tensor:
        """-> (N,)"""
        ...


@runtime_checkable
class Latents(Protocol):
    """Where the generator starts from."""

    @property
    def size(self) -> int: ...

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """-> (count, size) float32; the first rows do not depend on `count`."""
        ...


@runtime_checkable
class GeneratorSpec(Protocol):
    """Builds a module (N, latents) -> (N, *shape); raises RecipeError for a shape it cannot make."""

    def build(self, latents: int, shape: Shape) -> nn.Module: ...


@runtime_checkable
class DiscriminatorSpec(Protocol):
    """Builds a module (N, *shape) -> (N, logits); raises RecipeError for a shape it cannot see."""

    def build(self, shape: Shape, logits: int) -> nn.Module: ...


@runtime_checkable
class Constraint(Protocol):
    """Keeps a network's weights in bounds, by construction or after each move."""

    def attach(self, net: nn.Module) -> None: ...

    def after_move(self, net: nn.Module) -> None: ...


@runtime_checkable
class Truth(Protocol):
    """What is known exactly about the distribution that points came from."""

    def scores(self, points: np.ndarray) -> dict[str, float]: ...


@dataclass(frozen=True)
class Dataset:
    """Everything a source holds, in memory.

    `items` is uint8 (N, C, H, W) for images or float32 (N, D) for points; `labels` is int64 (N,) or None, with `label_names` in
    their order. `truth` is what is known about the distribution of points.
    """

    items: Tensor
    labels: Tensor | None = None
    label_names: tuple[str, ...] = ()
    truth: Truth | None = None
    skipped: tuple[str, ...] = ()  # a line for each file that could not be read, and why
    held_out: int = 0  # samples of the same source that are kept for scores, and are not among the items
    names: tuple[str, ...] = ()  # the file that each sample came from, where there are files
    sizes: Mapping[str, int] = field(default_factory=dict)  # images as they were stored, width x height: how many
    modes: Mapping[str, int] = field(default_factory=dict)  # image files by Pillow's name for their kind of pixel: how many

    def __len__(self) -> int:
        return len(self.items)

    @property
    def shape(self) -> Shape:
        return tuple(self.items.shape[1:])


@runtime_checkable
class Source(Protocol):
    """A place data comes from; `size` is the side that images are brought to (None: as they are)."""

    def load(self, size: int | None) -> Dataset: ...
