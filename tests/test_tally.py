"""What the steps gave, summed without waiting for them."""

import math

import torch

from mulligan.step import Step
from mulligan.tally import Tally

CPU = torch.device("cpu")


def step(value: float, sound: bool = True) -> Step:
    return Step({"generator.adversarial": torch.tensor(value)}, {"margin": torch.tensor(2 * value)}, torch.tensor(sound))


def test_means_are_over_the_steps_that_were_taken() -> None:
    tally = Tally(CPU)
    for value, sound in ((1.0, True), (math.nan, False), (2.0, True)):
        tally.add(step(value, sound))
    means, counts = tally.read()
    assert means == {"generator.adversarial": 1.5, "margin": 3.0}
    assert counts == {"taken": 2, "refused": 1, "streak": 0}


def test_a_streak_of_refused_steps_goes_on_over_reports() -> None:
    tally = Tally(CPU)
    for _ in range(3):
        tally.add(step(math.inf, False))
    tally.clear()
    tally.add(step(math.inf, False))
    means, counts = tally.read()
    assert counts == {"taken": 0, "refused": 1, "streak": 4}
    assert all(math.isnan(value) for value in means.values())
    tally.add(step(1.0))
    assert tally.read()[1]["streak"] == 0
