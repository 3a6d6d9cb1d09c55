"""The game and its step. A part says what it costs; only a player moves."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from mulligan.networks.batch_memory import has_batch_statistics, held_still
from mulligan.parts import AdversarialLoss, Constraint, Latents, Look, Penalty, Terms
from mulligan.recipe import Adam, Recipe
from mulligan.schedules import value_at

SMALLEST = 1e-30  # stands for a gradient of exactly 0 where its logarithm is taken


@dataclass(frozen=True)
class Move:
    """What came of a player's move, as tensors on its device: reading them is what waits, so the step does not."""

    sound: Tensor  # (), bool: False when something was not finite, and nothing was changed
    gradient: Tensor  # (): the norm of the gradient


@dataclass
class Player:
    """A network with its optimiser. `move` is the only place with `zero_grad`, `backward` and `step`."""

    net: nn.Module
    adam: Adam
    constraints: tuple[Constraint, ...] = ()
    rate_factor: float = 1.0  # what the watch has made of the recipe's learning rate

    def __post_init__(self) -> None:
        for constraint in self.constraints:
            constraint.attach(self.net)
        self.parameters = list(self.net.parameters())
        start, betas = value_at(self.adam.rate, 0.0), (self.adam.beta1, self.adam.beta2)
        self.optimizer = torch.optim.Adam(self.parameters, start, betas, self.adam.epsilon, fused=True)
        self.remember()

    def remember(self) -> None:
        """Take the network's buffers (running statistics and the like) for the ones to go back to after a refused move."""
        self.memory = [buffer.clone() for buffer in self.net.buffers()]

    def move(self, terms: Terms, progress: float) -> Move:
        """One step down the sum of the terms' means; gradients reach this player's weights only.

        Refused when the terms, the gradient or the weights are not finite: then no weight, moment or running statistic changes.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate_factor * value_at(self.adam.rate, progress)
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.stack([term.mean() for term in terms.values()]).sum()
        total.backward(inputs=self.parameters)
        gradient = norm([parameter.grad for parameter in self.parameters if parameter.grad is not None])
        sound = torch.isfinite(total.detach() + gradient + norm(self.parameters))
        # the fused kernels leave weights, moments and counters as they are where this is 1
        self.optimizer.found_inf = (~sound).float()  # pyright: ignore[reportAttributeAccessIssue]
        self.optimizer.step()
        settle(sound, list(self.net.buffers()), self.memory, look=sound.device.type == "cpu")
        for constraint in self.constraints:
            constraint.after_move(self.net)
        return Move(sound, gradient)


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


@dataclass
class Game:
    """Two players, and the recipe that says what they start from and what they pay."""

    generator: Player
    discriminator: Player
    recipe: Recipe
    device: torch.device

    def __post_init__(self) -> None:
        self.latents: Latents = self.recipe.latents
        self.loss: AdversarialLoss = self.recipe.loss
        self.penalties: tuple[Penalty, ...] = self.recipe.discriminator_penalties
        self.together = not has_batch_statistics(self.discriminator.net)

    def generate(self, latents: Tensor) -> Tensor:
        """(N, latents) -> float32 (N, *shape) as the networks see samples."""
        with self.autocast():
            return self.generator.net(latents).float()

    def score(self, samples: Tensor) -> Tensor:
        """(N, *shape) -> float32 logits, (N,) or (N, K)."""
        with self.autocast():
            logits = self.discriminator.net(samples).float()
        return logits.squeeze(1) if self.loss.logits == 1 else logits

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        return torch.from_numpy(self.latents.draw(count, rng)).to(self.device)

    def autocast(self) -> torch.autocast | nullcontext[None]:
        if self.recipe.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


@dataclass(frozen=True)
class Moment:
    """When a step happens: everything random in it follows from these numbers."""

    seed: int
    images_seen: int
    progress: float
    update: int  # of the discriminator, counted from the start of the run

    def reseed(self) -> np.random.Generator:
        """The step's random numbers; also seeds PyTorch, for whatever is random inside networks and penalties."""
        sequence = np.random.SeedSequence([self.seed, self.images_seen])
        torch.manual_seed(int(sequence.generate_state(1)[0]))
        return np.random.default_rng(sequence)


def discriminator_terms(game: Game, real: Tensor, latents: Tensor, moment: Moment) -> tuple[Terms, Look]:
    """What the discriminator minimises: tell real from fake, at a price for steepness."""
    with torch.no_grad(), held_still(game.generator.net):
        fake = game.generate(latents)
    due = [penalty for penalty in game.penalties if moment.update % penalty.every == 0]
    look = Look(game.score, game.loss, real, fake, together=game.together, steep=bool(due), progress=moment.progress)
    terms = {"adversarial": game.loss.discriminator(look.real_logits, look.fake_logits)}
    return terms | {penalty.name: penalty.every * penalty(look) for penalty in due}, look


def generator_terms(game: Game, real: Tensor, latents: Tensor) -> Terms:
    """What the generator minimises: be held for real by the discriminator as it now is."""
    fake = game.generate(latents)
    with held_still(game.discriminator.net):
        fake_logits = game.score(fake)
        with torch.no_grad():
            real_logits = game.score(real) if game.loss.generator_sees_real else None
    return {"adversarial": game.loss.generator(real_logits, fake_logits)}


@dataclass(frozen=True)
class Step:
    """What one step gave, as tensors on the device."""

    terms: dict[str, Tensor]  # the mean of every term by player and name, and how well real is told from fake
    vitals: dict[str, Tensor]  # what the watch looks at
    sound: Tensor  # (), bool: whether every move was taken


def train_step(game: Game, batches: Iterator[Tensor], moment: Moment) -> Step:
    """Let each player move as often as the recipe says."""
    recipe, rng = game.recipe, moment.reseed()
    terms_seen: dict[str, list[Tensor]] = {}
    vitals: dict[str, list[Tensor]] = {}
    sound: list[Tensor] = []
    real = torch.empty(0)

    def take(role: str, player: Player, terms: Terms) -> None:
        move = player.move(terms, moment.progress)
        for name, term in terms.items():
            terms_seen.setdefault(f"{role}.{name}", []).append(term.detach().mean())
        vitals.setdefault(f"{role}_log_gradient", []).append(move.gradient.clamp_min(SMALLEST).log())
        sound.append(move.sound)

    for index in range(recipe.discriminator_updates):
        real = next(batches)
        when = replace(moment, update=moment.update + index)
        terms, look = discriminator_terms(game, real, game.draw(recipe.batch, rng), when)
        take("discriminator", game.discriminator, terms)
        margins = [game.loss.margin(logits.detach()) for logits in (look.real_logits, look.fake_logits)]
        terms_seen.setdefault("told_apart", []).append(torch.sigmoid(margins[0] - margins[1]).mean())
        vitals.setdefault("margin", []).append(torch.cat(margins).abs().mean())
    latents = game.draw(recipe.batch, rng)
    for index in range(recipe.generator_updates):
        if index and not recipe.generator_updates_share_latents:
            latents = game.draw(recipe.batch, rng)
        take("generator", game.generator, generator_terms(game, real, latents))
    return Step(means(terms_seen), means(vitals), torch.stack(sound).all())


def means(values: dict[str, list[Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack(each).mean() for name, each in values.items()}
