"""Schedules are functions of progress and nothing else."""

import pytest

from mulligan.schedules import Cosine, Linear, value_at


def test_a_number_is_its_own_value_everywhere() -> None:
    assert [value_at(0.5, progress) for progress in (0.0, 0.3, 1.0)] == [0.5] * 3


def test_linear_holds_falls_and_stays() -> None:
    fall = Linear(2.0, 1.0, begins=0.5, ends=0.75)
    assert [value_at(fall, progress) for progress in (0.0, 0.5, 0.625, 0.75, 1.0)] == [2.0, 2.0, 1.5, 1.0, 1.0]


def test_cosine_starts_and_ends_flat_with_the_mean_in_the_middle() -> None:
    wave = Cosine(3.0, 1.0)
    assert value_at(wave, 0.0) == 3.0
    assert value_at(wave, 1.0) == pytest.approx(1.0)
    assert value_at(wave, 0.5) == pytest.approx(2.0)
    assert value_at(wave, 0.01) > 2.999


def test_a_schedule_without_length_is_a_step() -> None:
    assert [value_at(Linear(1.0, 0.0, 0.5, 0.5), progress) for progress in (0.49, 0.5)] == [1.0, 0.0]


def test_cosine_waits_and_stays_at_its_ends() -> None:
    wave = Cosine(3.0, 1.0, begins=0.2, ends=0.6)
    values = [value_at(wave, progress) for progress in (0.1, 0.2, 0.3, 0.4, 0.6, 0.9)]
    assert values == pytest.approx([3.0, 3.0, 2.0 + 0.5**0.5, 2.0, 1.0, 1.0])
