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


def test_a_mixture_spreads_by_its_width_around_each_centre() -> None:
    exact, wide = (draw(NormalMixture(size=2, centres=4, width=width), 20_000) for width in (0.0, 0.3))
    noise = wide - exact
    assert np.allclose(noise.mean(0), 0, atol=0.01)
    assert np.allclose(noise.std(0), 0.3, atol=0.01)


def test_a_mixture_draws_its_centres_equally_often() -> None:
    _, counts = np.unique(draw(NormalMixture(size=2, centres=4, width=0.0), 20_000), axis=0, return_counts=True)
    assert np.allclose(counts / 20_000, 0.25, atol=0.02)


def test_another_seed_for_the_centres_moves_them() -> None:
    one, other = (draw(NormalMixture(width=0.0, centres_seed=seed), 50) for seed in (0, 1))
    assert not np.isin(one, other).any()


@pytest.mark.parametrize("latents", KINDS, ids=repr)
def test_a_second_draw_from_the_same_stream_is_fresh(latents: Latents) -> None:
    rng = np.random.default_rng(0)
    assert not np.array_equal(latents.draw(20, rng), latents.draw(20, rng))
