"""Both networks with the recipe's initial weights, and every check that can be made before the first step."""

import math

import torch
from torch import nn

from mulligan.errors import RecipeError
from mulligan.game import Game
from mulligan.networks.batch_memory import held_still
from mulligan.networks.outline import memory_here, outline_of
from mulligan.parts import Shape
from mulligan.player import Player
from mulligan.recipe import Recipe


def build_game(recipe: Recipe, shape: Shape, device: torch.device) -> Game:
    """Both networks with the recipe's initial weights; the seed decides them, whatever the device."""
    check_memory(recipe, shape)
    torch.manual_seed(recipe.seed)
    try:
        generator = recipe.generator.build(recipe.latents.size, shape).to(device)
        discriminator = recipe.discriminator.build(shape, recipe.loss.logits).to(device)
    except (RuntimeError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise RecipeError(f"the networks cannot be made for samples of shape {shape}: {error}; change their fields") from error
    game = Game(
        Player(generator, recipe.generator_optimizer),
        Player(discriminator, recipe.discriminator_optimizer, recipe.discriminator_constraints),
        recipe,
        device,
    )
    if game.discriminator_mixes and game.micro_batch < recipe.batch:
        raise RecipeError(
            f"micro_batch={recipe.micro_batch} would change what the discriminator's batch norm computes; "
            "use a smaller batch, or a discriminator without it"
        )
    if recipe.channels_last:
        for player in (game.generator, game.discriminator):
            pixel_by_pixel(player.net)
    check_shapes(game, shape)
    return game


def pixel_by_pixel(net: nn.Module) -> None:
    """Keep the kernels of convolutions with their channels last, as they meet images; the values are the same."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def outline(recipe: Recipe, shape: Shape) -> dict[str, Shape] | None:
    """The shape of every weight of both networks, as a checkpoint names them; None when that takes memory to know."""
    generator = outline_of(lambda: recipe.generator.build(recipe.latents.size, shape))
    discriminator = outline_of(lambda: recipe.discriminator.build(shape, recipe.loss.logits))
    if generator is None or discriminator is None or recipe.discriminator_constraints:  # a constraint may name weights anew
        return None
    roles = {"generator": generator, "discriminator": discriminator}
    return {f"{role}.{name}": sides for role, found in roles.items() for name, sides in found.items()}


def check_memory(recipe: Recipe, shape: Shape) -> None:
    """RecipeError for networks that this machine cannot hold: weights, gradients, two moments each, and the average."""
    shapes, memory = outline(recipe.with_(discriminator_constraints=()), shape), memory_here()
    weights = sum(math.prod(sides) for sides in (shapes or {}).values())
    if memory is not None and 20 * weights > memory:
        raise RecipeError(
            f"the networks have {weights:,} weights and need {20 * weights >> 30:,} GiB to train, and this machine has "
            f"{memory >> 30:,}; make them narrower"
        )


@torch.no_grad()
def check_shapes(game: Game, shape: Shape) -> None:
    """Two samples through both networks, so that a misfit is a sentence now and not a stack trace at step one."""
    latents = torch.zeros(2, game.latents.size, device=game.device)
    with held_still(game.generator.net), held_still(game.discriminator.net):
        fake = game.generate(latents)
        if tuple(fake.shape[1:]) != shape:
            raise RecipeError(
                f"the generator makes samples of shape {tuple(fake.shape[1:])} and the data has {shape}; "
                "choose a generator that fits"
            )
        logits = game.score(fake)
        wanted = (2,) if game.loss.logits == 1 else (2, game.loss.logits)
        if tuple(logits.shape) != wanted:
            raise RecipeError(
                f"the discriminator gives logits of shape {tuple(logits.shape)} for 2 samples and the loss needs {wanted}"
            )
