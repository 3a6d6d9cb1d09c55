"""What every kind of latents promises."""

from typing import get_args

import numpy as np
import pytest

from mulligan.latents import LatentsSpec, Normal, NormalMixture, Uniform
from mulligan.parts import Latents

KINDS: list[Latents] = [kind() for kind in get_args(LatentsSpec)]


def draw(latents: Latents, count: int, seed: int = 0) -> np.ndarray:
    return latents.draw(count, np.random.default_rng(seed))


@pytest.mark.parametrize("latents", KINDS, ids=repr)
def test_rows_are_float32_and_a_seed_decides_them(latents: Latents) -> None:
    rows = draw(latents, 20)
    assert rows.shape == (20, latents.size)
    assert rows.dtype == np.float32
    assert np.array_equal(rows, draw(latents, 20))
    assert not np.array_equal(rows, draw(latents, 20, seed=1))


@pytest.mark.parametrize("latents", KINDS, ids=repr)
@pytest.mark.parametrize("count", [1, 7, 16, 100])
def test_the_first_rows_do_not_depend_on_how_many_are_drawn(latents: Latents, count: int) -> None:
    assert np.array_equal(draw(latents, 333)[:count], draw(latents, count))


def test_normal_and_uniform_have_their_moments() -> None:
    normal, uniform = draw(Normal(2), 50_000), draw(Uniform(2), 50_000)
    assert np.allclose([normal.mean(), normal.std()], [0, 1], atol=0.02)
    assert np.allclose([uniform.mean(), uniform.std()], [0, 1 / np.sqrt(3)], atol=0.02)
    assert np.abs(uniform).max() <= 1


def test_a_mixture_keeps_to_its_centres_whatever_the_seed() -> None:
    latents = NormalMixture(size=2, centres=5, width=0.0)
    places = {tuple(row) for seed in (0, 1) for row in draw(latents, 200, seed).tolist()}
    assert len(places) == 5
