"""A game as tensors: there and back, and two of the same kind never share memory."""

import torch

from mulligan.build import build_game
from mulligan.data import Grid
from mulligan.ema import averaged_copy
from mulligan.game import Game, Moment
from mulligan.recipes import named
from mulligan.state import all_finite, below, game_tensors, restore_game
from mulligan.step import train_step


def played(steps: int) -> Game:
    game = build_game(named("grid").with_(data=Grid(count=64), batch=16), (2,), torch.device("cpu"))
    for step in range(steps):
        train_step(game, iter([torch.randn(16, 2)]), Moment(0, step * 16, 0.0, step))
    return game


def test_a_game_becomes_the_one_its_tensors_were_taken_from() -> None:
    source, target = played(3), played(1)
    averages = [averaged_copy(game.generator.net) for game in (source, target)]
    tensors = game_tensors(source, averages[0])
    restore_game(target, averages[1], tensors)
    again = game_tensors(target, averages[1])
    assert tensors.keys() == again.keys()
    assert all(torch.equal(tensors[name], again[name]) for name in tensors)
    assert not {tensor.data_ptr() for tensor in tensors.values()} & {tensor.data_ptr() for tensor in again.values()}


def test_a_game_before_its_first_step_can_be_gone_back_to() -> None:
    start, later = played(0), played(2)
    tensors = {name: value.clone() for name, value in game_tensors(start, start.generator.net).items()}
    restore_game(later, later.generator.net, tensors)
    for game in (start, later):
        train_step(game, iter([torch.ones(16, 2)]), Moment(0, 0, 0.0, 0))
    one, two = (game_tensors(game, game.generator.net) for game in (start, later))
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


def test_the_generator_is_not_stored_twice_when_it_is_its_own_average() -> None:
    game = played(0)
    assert not below(game_tensors(game, game.generator.net), "average")


def test_one_number_that_is_none_is_found_among_all() -> None:
    tensors = {"a": torch.zeros(3, 3), "count": torch.tensor(5)}
    assert all_finite(tensors)
    tensors["a"][2, 2] = float("inf")
    assert not all_finite(tensors)
    tensors["b"] = torch.tensor([-float("inf")])
    assert not all_finite(tensors)


def test_large_numbers_are_numbers_even_where_their_sum_is_not() -> None:
    assert all_finite({"a": torch.full((4,), 3e38), "half": torch.zeros(2, dtype=torch.bfloat16)})
