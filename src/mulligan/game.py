"""The game: two players, and what each of them minimises. A part says what it costs; only a player moves."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mulligan.networks.batch_memory import has_batch_statistics, held_still
from mulligan.parts import AdversarialLoss, Latents, Look, Penalty, Progress, Terms
from mulligan.player import Player
from mulligan.recipe import Recipe


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
        self.micro_batch = min(self.recipe.micro_batch or self.recipe.batch, self.recipe.batch)
        self.generator_mixes = has_batch_statistics(self.generator.net)  # what it makes of a sample depends on the others
        self.discriminator_mixes = has_batch_statistics(self.discriminator.net)
        quick: Callable[..., Any] = torch.compile if self.recipe.compile else lambda net: net
        self.quick_generator, self.quick_discriminator = quick(self.generator.net), quick(self.discriminator.net)

    def generate(self, latents: Tensor) -> Tensor:
        """(N, latents) -> float32 (N, *shape) as the networks see samples."""
        with self.autocast():
            return self.quick_generator(latents).float()

    def score(self, samples: Tensor, *, steep: bool = False) -> Tensor:
        """(N, *shape) -> float32 logits, (N,) or (N, K). `steep`: its gradient will be differentiated once more."""
        with self.autocast():
            logits = (self.discriminator.net if steep else self.quick_discriminator)(samples).float()
        return logits.squeeze(1) if self.loss.logits == 1 else logits

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        return torch.from_numpy(self.latents.draw(count, rng)).to(self.device)

    def autocast(self) -> torch.autocast | nullcontext[None]:
        if self.recipe.precision == "bfloat16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return nullcontext()


@dataclass(frozen=True)
class Moment:
    """When a step happens: everything random in it follows from these numbers."""

    seed: int
    images_seen: int
    progress: Progress
    update: int  # of the discriminator, counted from the start of the run

    def reseed(self, device: torch.device) -> np.random.Generator:
        """The step's random numbers; also seeds PyTorch, for whatever is random inside networks and penalties."""
        sequence = np.random.SeedSequence([self.seed, self.images_seen])
        seed = int(sequence.generate_state(1)[0])
        torch.default_generator.manual_seed(seed)  # `torch.manual_seed` asks every kind of device there might be: 0.1 ms
        if device.type == "cuda":
            torch.cuda.manual_seed(seed)
        elif device.type == "mps":
            torch.mps.manual_seed(seed)
        return np.random.default_rng(sequence)


def discriminator_terms(game: Game, real: Tensor, fake: Tensor, moment: Moment) -> tuple[Terms, Look]:
    """What the discriminator minimises: tell real from fake, at a price for steepness."""
    due = due_at(game, moment.update)
    steep = {side for penalty in due for side in getattr(penalty, "sides", ("real", "fake"))}
    look = Look(
        lambda samples: game.score(samples, steep=bool(due)),
        game.loss,
        real,
        fake,
        together=not game.discriminator_mixes,
        steep=steep,
        progress=moment.progress,
    )
    terms = {"adversarial": game.loss.discriminator(look.real_logits, look.fake_logits)}
    return terms | {penalty.name: penalty.every * penalty(look) for penalty in due}, look


def generator_terms(game: Game, real: Tensor, fake: Tensor) -> Terms:
    """What the generator minimises: be held for real by the discriminator as it now is."""
    with held_still(game.discriminator.net):
        fake_logits = game.score(fake)
        with torch.no_grad():
            real_logits = game.score(real) if game.loss.generator_sees_real else None
    return {"adversarial": game.loss.generator(real_logits, fake_logits)}


def due_at(game: Game, update: int) -> list[Penalty]:
    return [penalty for penalty in game.penalties if update % penalty.every == 0]
