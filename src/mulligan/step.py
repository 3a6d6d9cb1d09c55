"""One step of the game: deal, and let each player move as often as the recipe says."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from mulligan.game import Game, Moment, discriminator_terms, generator_terms
from mulligan.memory import out_of_memory
from mulligan.networks.batch_memory import held_still
from mulligan.player import Move, Player, Share

SMALLEST = 1e-30  # stands for a gradient of exactly 0 where its logarithm is taken


@dataclass(frozen=True)
class Hand:
    """What a step is dealt: real batches, and latents for each move of both players."""

    real: list[Tensor]
    for_discriminator: list[Tensor]
    for_generator: list[Tensor]


def deal(game: Game, batches: Iterator[Tensor], moment: Moment) -> Hand:
    """Everything in a step that is drawn by lot, on the device."""
    recipe, rng = game.recipe, moment.reseed(game.device)
    real, for_discriminator = [], []
    for _ in range(recipe.discriminator_updates):
        real.append(next(batches))
        for_discriminator.append(game.draw(recipe.batch, rng))
    for_generator = [game.draw(recipe.batch, rng)]
    for _ in range(recipe.generator_updates - 1):
        for_generator.append(for_generator[0] if recipe.generator_updates_share_latents else game.draw(recipe.batch, rng))
    return Hand(real, for_discriminator, for_generator)


@dataclass(frozen=True)
class Step:
    """What one step gave, as tensors on the device."""

    terms: dict[str, Tensor]  # the mean of every term by player and name, and how well real is told from fake
    vitals: dict[str, Tensor]  # what the watch looks at
    sound: Tensor  # (), bool: whether every move was taken


def play(game: Game, hand: Hand, moment: Moment) -> Step:
    """Let each player move as often as the recipe says."""
    terms: dict[str, list[Tensor]] = {}
    vitals: dict[str, list[Tensor]] = {}
    sound: list[Tensor] = []

    def take(role: str, player: Player, shares: Callable[[], Iterable[Share]]) -> Move:
        move = with_less_memory(game, player, lambda: player.move(shares(), moment.progress))
        for name, mean in move.terms.items():
            terms.setdefault(f"{role}.{name}", []).append(mean)
        vitals.setdefault(f"{role}_log_gradient", []).append(move.gradient.clamp_min(SMALLEST).log())
        sound.append(move.sound)
        return move

    real = hand.real[-1]
    for index, (real, latents) in enumerate(zip(hand.real, hand.for_discriminator, strict=True)):
        when = replace(moment, update=moment.update + index)
        move = take("discriminator", game.discriminator, partial(discriminator_shares, game, real, latents, when))
        terms.setdefault("told_apart", []).append(move.watched["told_apart"])
        vitals.setdefault("margin", []).append(move.watched["margin"])
    for latents in hand.for_generator:
        take("generator", game.generator, partial(generator_shares, game, real, latents))
    return Step(averages(terms), averages(vitals), torch.stack(sound).all())


def train_step(game: Game, batches: Iterator[Tensor], moment: Moment) -> Step:
    """Deal, and play."""
    return play(game, deal(game, batches, moment), moment)


def discriminator_shares(game: Game, real: Tensor, latents: Tensor, moment: Moment) -> Iterator[Share]:
    """The discriminator's terms, for as many samples at a time as the memory holds."""
    with torch.no_grad(), held_still(game.generator.net):
        makes = latents.split(len(latents) if game.generator_mixes else game.micro_batch)
        fake = torch.cat([game.generate(some) for some in makes])
    for index, (some_real, some_fake) in enumerate(zip(real.split(game.micro_batch), fake.split(game.micro_batch), strict=True)):
        # what a pass moves in the network (the vectors of spectral norm) moves once a step, not once a share
        with held_still(game.discriminator.net) if index else nullcontext():
            terms, look = discriminator_terms(game, some_real, some_fake, moment)
        margins = [game.loss.margin(logits.detach()) for logits in (look.real_logits, look.fake_logits)]
        watched = {"told_apart": torch.sigmoid(margins[0] - margins[1]), "margin": torch.cat(margins).abs()}
        yield Share(terms, len(some_real) / len(real), watched)


def generator_shares(game: Game, real: Tensor, latents: Tensor) -> Iterator[Share]:
    """The generator's terms, likewise. One that mixes its samples makes them all at once; then only their scores are shared out."""
    if len(latents) <= game.micro_batch:
        yield Share(generator_terms(game, real, game.generate(latents)))
        return
    pieces = list(zip(real.split(game.micro_batch), latents.split(game.micro_batch), strict=True))
    if not game.generator_mixes:
        for some_real, some in pieces:
            yield Share(generator_terms(game, some_real, game.generate(some)), len(some) / len(latents))
        return
    fake = game.generate(latents)
    gradients: list[Tensor] = []
    for (some_real, some), made in zip(pieces, fake.detach().split(game.micro_batch), strict=True):
        leaf = made.clone().requires_grad_()
        yield Share(generator_terms(game, some_real, leaf), len(some) / len(latents), at=leaf)
        assert leaf.grad is not None
        gradients.append(leaf.grad)
    yield Share({}, carried=(fake, torch.cat(gradients)))


def with_less_memory(game: Game, player: Player, move: Callable[[], Move]) -> Move:
    """A move; when the memory does not hold it, with half as many samples at a time, as often as that helps."""
    while True:
        try:
            return move()
        except RuntimeError as error:
            if not out_of_memory(error) or game.micro_batch == 1 or game.discriminator_mixes:
                raise
        player.forget()
        game.micro_batch = -(-game.micro_batch // 2)


def averages(values: dict[str, list[Tensor]]) -> dict[str, Tensor]:
    return {name: each[0] if len(each) == 1 else torch.stack(each).mean() for name, each in values.items()}
