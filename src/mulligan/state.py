"""A game as tensors and back: both networks, the average, the optimisers. Nothing else is needed to go on."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mulligan.game import Game
from mulligan.packed import LARGEST_HEADER
from mulligan.player import Player

ROLES = ("generator", "discriminator")


def game_tensors(game: Game, average: nn.Module) -> dict[str, Tensor]:
    """Every tensor of the game by name, as it stands: not copies. `average` is left out where it is the generator itself."""
    own = average is not game.generator.net
    tensors = {f"average.{name}": value for name, value in average.state_dict().items()} if own else {}
    for role in ROLES:
        player: Player = getattr(game, role)
        tensors |= {f"{role}.{name}": value for name, value in player.net.state_dict().items()}
        tensors |= optimizer_tensors(role, player)
    return {name: value.detach() for name, value in tensors.items()}


def restore_game(game: Game, average: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Become the game that the tensors were taken from; RuntimeError or KeyError when they are another's."""
    for role in ROLES:
        player: Player = getattr(game, role)
        player.net.load_state_dict(below(tensors, role))
        restore_optimizer(player, below(tensors, f"optimizer.{role}"))
        player.remember()
    if average is not game.generator.net:
        average.load_state_dict(below(tensors, "average"))


def optimizer_tensors(role: str, player: Player) -> dict[str, Tensor]:
    """Adam's moments and step counts, by the number of the parameter."""
    states = player.optimizer.state_dict()["state"]
    return {f"optimizer.{role}.{index}.{name}": value for index, state in states.items() for name, value in state.items()}


def restore_optimizer(player: Player, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        # a copy: the optimiser takes the tensor it is given for its own, and writes into it. The fused kernels walk through the
        # memory of weight and moments alike, so both must lie in the same order
        weight = player.parameters[int(index)]
        own = torch.empty_like(weight) if value.shape == weight.shape else torch.empty_like(value)
        state.setdefault(int(index), {})[name] = own.copy_(value)
    player.optimizer.load_state_dict({"state": state, "param_groups": player.optimizer.state_dict()["param_groups"]})


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start with `prefix.`, named without it."""
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(prefix + ".")}


def largest_file(game: Game, average: nn.Module) -> int:
    """Bytes that a checkpoint of this game cannot exceed: weights, average, two moments each, and room for the facts."""
    weights = sum(value.numel() * value.element_size() for value in game_tensors(game, average).values())
    return 4 * weights + LARGEST_HEADER


def all_finite(tensors: Mapping[str, Tensor]) -> bool:
    """Whether every number is one. Waits for the device.

    A sum is finite only when all that it sums is, and is ten times as quick; only when it is not, each number is looked at.
    """
    floating = [tensor for tensor in tensors.values() if tensor.is_floating_point()]
    if bool(torch.isfinite(torch.stack([tensor.sum(dtype=torch.float32) for tensor in floating])).all()):
        return True
    return all(bool(torch.isfinite(tensor).all()) for tensor in floating)
