"""A player: a network with its optimiser, and the only place where anything moves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from mulligan.parts import Constraint, Progress, Terms
from mulligan.recipe import Adam
from mulligan.schedules import value_at


@dataclass(frozen=True)
class Share:
    """What a player pays for a share of the batch. Its gradient is taken before the next share is computed."""

    terms: Terms
    weight: float = 1.0  # the share of the batch
    watched: Terms = field(default_factory=dict)  # values worth a look that nobody pays for
    at: Tensor | None = None  # take the gradient at this leaf, and not yet at the weights
    carried: tuple[Tensor, Tensor] | None = None  # (samples, gradient there): what was taken at a leaf, on to the weights


@dataclass(frozen=True)
class Move:
    """What came of a player's move, as tensors on its device: reading them is what waits, so the step does not."""

    sound: Tensor  # (), bool: False when something was not finite, and nothing was changed
    gradient: Tensor  # (): the norm of the gradient
    terms: dict[str, Tensor]  # (): the mean of each term
    watched: dict[str, Tensor]  # (): the mean of each watched value


@dataclass
class Player:
    """A network with its optimiser. `move` is the only place with `backward` and `step`."""

    net: nn.Module
    adam: Adam
    constraints: tuple[Constraint, ...] = ()
    rate_factor: float = 1.0  # what the watch has made of the recipe's learning rate

    def __post_init__(self) -> None:
        for constraint in self.constraints:
            constraint.attach(self.net)
        self.parameters = list(self.net.parameters())
        start, betas = value_at(self.adam.rate, 0.0), (self.adam.beta1, self.adam.beta2)
        on_cuda = any(parameter.is_cuda for parameter in self.parameters)
        self.optimizer = torch.optim.Adam(
            self.parameters, start, betas, self.adam.epsilon, fused=True, capturable=on_cuda
        )  # capturable: so that the step can be recorded as a CUDA graph
        self.remember()

    def remember(self) -> None:
        """Take the network's buffers (running statistics and the like) for the ones to go back to after a refused move."""
        self.buffers = list(self.net.buffers())
        self.memory = [buffer.clone() for buffer in self.buffers]

    def forget(self) -> None:
        """Put the buffers back to where they were before a move that was begun and not finished."""
        for buffer, kept in zip(self.buffers, self.memory, strict=True):
            buffer.copy_(kept)

    def move(self, shares: Iterable[Share], progress: Progress) -> Move:
        """One step down the mean of the terms' sum; gradients reach this player's weights only.

        Refused when the terms or the gradient are not finite: then no weight, moment or running statistic changes.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate_factor * value_at(self.adam.rate, progress)
        for parameter in self.parameters:
            parameter.grad = None
        costs: list[Tensor] = []
        terms: dict[str, Tensor] = {}
        watched: dict[str, Tensor] = {}
        for share in shares:
            if share.carried:
                samples, gradient = share.carried
                samples.backward(gradient, inputs=self.parameters)
                continue
            means = weighted_means(share.terms, share.weight)
            cost = torch.stack(list(means.values())).sum()
            cost.backward(inputs=self.parameters if share.at is None else [share.at])
            costs.append(cost.detach())
            add(terms, {name: mean.detach() for name, mean in means.items()})
            add(watched, weighted_means(share.watched, share.weight))
        gradient = norm([parameter.grad for parameter in self.parameters if parameter.grad is not None])
        sound = torch.isfinite(sum(costs, gradient))
        # the fused kernels leave weights, moments and counters as they are where this is 1
        self.optimizer.found_inf = (~sound).float()  # pyright: ignore[reportAttributeAccessIssue]
        self.optimizer.step()
        settle(sound, self.buffers, self.memory, look=sound.device.type == "cpu")
        for constraint in self.constraints:
            constraint.after_move(self.net)
        return Move(sound, gradient, terms, watched)


def weighted_means(terms: Terms, weight: float) -> dict[str, Tensor]:
    """(N,) by name -> (): the mean of each, times the weight."""
    return {name: term.mean() if weight == 1 else term.mean() * weight for name, term in terms.items()}


def add(sums: dict[str, Tensor], values: dict[str, Tensor]) -> None:
    for name, value in values.items():
        sums[name] = sums[name] + value if name in sums else value


@torch.no_grad()
def norm(tensors: Sequence[Tensor]) -> Tensor:
    """() float32: the norm of all of them as one vector; not finite when anything in them is not."""
    norms = torch._foreach_norm(list(tensors))  # pyright: ignore[reportPrivateImportUsage]
    return torch.stack([value.float() for value in norms]).norm()


@torch.no_grad()
def settle(sound: Tensor, new: list[Tensor], kept: list[Tensor], *, look: bool) -> None:
    """Make both lists what `new` is when `sound`, else what `kept` is. Without a `look` at `sound` the device is not waited for."""
    if not new:
        return
    if look:
        source, target = (new, kept) if sound else (kept, new)
        torch._foreach_copy_(target, source)  # pyright: ignore[reportPrivateImportUsage]
        return
    for one, other in zip(new, kept, strict=True):
        other.copy_(torch.where(sound, one, other))
        one.copy_(other)
