"""The averaged generator."""

import math

import pytest
import torch
from torch import nn

from mulligan.ema import Ema, averaged_copy, move_average


def test_a_change_is_half_forgotten_after_the_half_life() -> None:
    ema, net = Ema(half_life_images=1_000, ramp=1e9), nn.Linear(1, 1)
    average = averaged_copy(net)
    nn.init.constant_(average.weight, 0.0)  # pyright: ignore[reportArgumentType]
    nn.init.constant_(net.weight, 1.0)
    for step in range(1, 101):
        move_average(average, net, ema.weight(step * 10, 10))
    assert average.weight.item() == pytest.approx(0.5)  # pyright: ignore[reportCallIssue, reportAttributeAccessIssue]


def test_early_on_the_half_life_is_a_share_of_the_images_seen() -> None:
    ema = Ema(half_life_images=1_000, ramp=0.1)
    assert ema.weight(0, 10) == 1.0
    assert ema.weight(100, 10) == pytest.approx(0.5)
    assert ema.weight(10**6, 1_000) == pytest.approx(0.5)


def test_running_statistics_are_averaged_and_counters_copied() -> None:
    net = nn.Sequential(nn.BatchNorm1d(2))
    average = averaged_copy(net)
    net(torch.randn(8, 2, generator=torch.Generator().manual_seed(0)) + 5)
    move_average(average, net, 0.5)
    ours, theirs = average.state_dict(), net.state_dict()
    assert torch.allclose(ours["0.running_mean"], theirs["0.running_mean"] / 2)
    assert ours["0.num_batches_tracked"] == theirs["0.num_batches_tracked"] == 1


def test_the_average_never_learns_and_stays_in_evaluation_mode() -> None:
    net = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    average = averaged_copy(net)
    assert not average.training
    assert not any(parameter.requires_grad for parameter in average.parameters())
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_moving_the_average_leaves_the_network_and_asks_for_no_gradient() -> None:
    net = nn.Linear(2, 2)
    average = averaged_copy(net)
    start = {name: value.clone() for name, value in average.state_dict().items()}
    nn.init.constant_(net.weight, 3.0)
    move_average(average, net, 0.25)
    assert (net.weight == 3.0).all()
    assert net.weight.requires_grad
    assert not any(parameter.requires_grad or parameter.grad_fn for parameter in average.parameters())
    assert torch.allclose(average.state_dict()["weight"], start["weight"] * 0.75 + 3.0 * 0.25)


def test_the_half_life_grows_no_longer_than_it_was_asked_to() -> None:
    ema = Ema(half_life_images=1_000, ramp=0.1)
    weights = [ema.weight(seen, 100) for seen in (1_000, 5_000, 10_000, 50_000)]
    assert weights == pytest.approx([1 - 0.5**1, 1 - 0.5**0.2, 1 - 0.5**0.1, 1 - 0.5**0.1])


@pytest.mark.parametrize("look", [True, False])
@pytest.mark.parametrize("sound", [True, False])
def test_nothing_moves_after_a_step_that_was_not_sound(sound: bool, look: bool) -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = averaged_copy(net)
    before = {name: value.clone() for name, value in average.state_dict().items()}
    with torch.no_grad():
        for value in net.state_dict().values():
            value.fill_(3) if sound or not value.is_floating_point() else value.fill_(math.nan)
    move_average(average, net, 0.5, torch.tensor(sound), look=look)
    for name, value in average.state_dict().items():
        halfway = (before[name] + 3) / 2 if value.is_floating_point() else torch.tensor(3)
        assert torch.equal(value, halfway if sound else before[name])
