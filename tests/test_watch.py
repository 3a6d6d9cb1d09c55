"""The watch: every sickness by its figures, and nothing said of the healthy."""

import json
import math
from dataclasses import asdict
from typing import Any

import pytest
import torch

from mulligan.watch import FEW, Memory, Vitals, Watch, distances

TOTAL, STEP = 100_000, 10
WELL: dict[str, Any] = {
    "total_images": TOTAL,
    "step_images": STEP,
    "refused": 0,
    "streak": 0,
    "state_finite": True,
    "margin": 1.0,
    "generator_gradient": 1.0,
    "discriminator_gradient": 1.0,
    "told_apart": 0.6,
    "variety": 0.9,
    "nearest": 0.8,
}


def follow(
    reports: list[dict[str, Any]], watch: Watch | None = None, every: int = 2_000
) -> tuple[list[str], list[tuple[int, str]]]:
    """The health words, and each alarm with its images, of one run; every report is given by what differs from a healthy one."""
    memory, words, alarms = Memory(), [], []
    for number, changes in enumerate(reports, 1):
        word, alarm = (watch or Watch()).examine(Vitals(images=number * every, **(WELL | changes)), memory)
        memory = Memory(**json.loads(json.dumps(asdict(memory))))  # as through a checkpoint
        words.append(word)
        if alarm:
            alarms.append((number * every, alarm.kind))
    return words, alarms


def test_a_healthy_run_is_never_called_sick() -> None:
    assert follow([{}] * 50) == ([""] * 50, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"state_finite": False},
        {"streak": 8, "refused": 8},
        {"margin": 2e4},
        {"generator_gradient": 2e4},
        {"discriminator_gradient": 2e4},
    ],
    ids=str,
)
def test_what_explodes_is_called_diverged_at_once(changes: dict[str, Any]) -> None:
    words, alarms = follow([{}] * 10 + [changes])
    assert words == [""] * 10 + ["diverged"]
    assert alarms == [(22_000, "diverged")]


@pytest.mark.parametrize(
    "changes", [{"streak": 7, "refused": 7}, {"refused": 90}, {"margin": 5e3}, {"generator_gradient": 5e3}], ids=str
)
def test_what_a_run_gets_over_is_not(changes: dict[str, Any]) -> None:
    assert follow([{}] * 10 + [changes] + [{}] * 10)[1] == []


def test_gradients_are_large_only_against_what_was_usual() -> None:
    large = {"generator_gradient": 1e6, "discriminator_gradient": 1e6}
    assert follow([large] * 20)[1] == []
    assert follow([{}] * FEW + [large])[1] == [(2_000 * (FEW + 1), "diverged")]


SICK = {
    "outplayed": {"told_apart": 0.999, "generator_gradient": 1e-4},
    "collapsed": {"variety": 0.2},
}


@pytest.mark.parametrize("kind", SICK)
def test_a_lasting_sickness_is_an_alarm_after_a_tenth_of_the_run(kind: str) -> None:
    words, alarms = follow([{}] * 10 + [SICK[kind]] * 5)
    assert alarms == [(30_000, kind)]  # healthy until 20,000
    assert words[-1] == kind


@pytest.mark.parametrize("kind", SICK)
def test_a_passing_one_is_not(kind: str) -> None:
    assert follow([{}] * 10 + ([SICK[kind]] * 4 + [{}]) * 5)[1] == []


@pytest.mark.parametrize("kind", SICK)
def test_a_tenth_of_a_short_run_is_not_lasting_before_two_hundred_steps(kind: str) -> None:
    assert follow([{}] * 2 + [SICK[kind]] * 18, every=100)[1] == []
    assert follow([{}] * 2 + [SICK[kind]] * 18, Watch(patience=0.0), every=500)[1][0] == (3_500, kind)


@pytest.mark.parametrize(
    "changes",
    [{"variety": 0.04}, {"variety": 0.5, "nearest": 0.05}, {"variety": 0.26}],
    ids=["never much", "a few kinds only", "less than it was"],
)
def test_every_way_to_collapse_is_seen(changes: dict[str, Any]) -> None:
    assert {kind for _, kind in follow([{}] * 10 + [changes] * 6)[1]} == {"collapsed"}


def test_a_young_generators_low_variety_is_not_a_fall() -> None:
    growing = [{"variety": 0.06 + 0.02 * step, "nearest": 0.01 + 0.02 * step} for step in range(45)]
    assert follow(growing)[1] == []


def test_a_vanished_gradient_alone_is_no_defeat() -> None:
    """A game that has come to rest has no gradient either, and nothing is told apart."""
    assert follow([{}] * 10 + [{"generator_gradient": 1e-8, "told_apart": 0.5}] * 40)[1] == []


def test_figures_that_are_no_numbers_raise_nothing_by_themselves() -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("margin", "generator_gradient", "discriminator_gradient", "told_apart", "variety", "nearest"), math.nan
    )
    assert follow([nothing] * 50)[1] == []
    assert Vitals(images=0, **(WELL | nothing)).to_json() == {"refused": 0}


def test_only_the_discriminator_slows_down_when_it_has_won() -> None:
    assert Watch(rate_factor=0.5).factors("outplayed") == {"generator": 1.0, "discriminator": 0.5}
    assert Watch(rate_factor=0.5).factors("collapsed") == {"generator": 0.5, "discriminator": 0.5}


def test_distances_of_a_square() -> None:
    square = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    mean, nearest = distances(square)
    assert mean == pytest.approx((4 + 2 * math.sqrt(2)) / 6)
    assert nearest == 1.0
    assert distances(torch.zeros(3, 1, 2, 2)) == (0.0, 0.0)
    assert all(map(math.isnan, distances(square[:1])))
