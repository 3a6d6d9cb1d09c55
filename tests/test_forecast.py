"""What a run will take, measured on a few of its steps."""

import pytest
import torch

from mulligan.errors import RecipeError
from mulligan.forecast import Forecast, duration, forecast, measure
from mulligan.losses import Hinge
from mulligan.networks import MlpGenerator
from mulligan.recipes import named


def test_a_forecast_is_of_the_whole_run() -> None:
    recipe = named("grid").with_(threads=1)
    short, long = (measure(recipe.with_(images=images), torch.device("cpu"), 0.3) for images in (256_000, 2_560_000))
    assert 4 < long.seconds / short.seconds < 25
    assert short.images_per_second == pytest.approx(256_000 / short.seconds)
    assert short.threads == 1


def test_the_memory_is_that_of_a_process_of_its_own() -> None:
    """A wider pair holds more: weights, gradients, moments, average, and the copy that a checkpoint is written from."""
    narrow = named("grid").with_(threads=1, loss=Hinge())
    wide = narrow.with_(generator=MlpGenerator((2_048, 2_048, 2_048), output="linear"))
    found = [forecast(recipe, "cpu", 0.2) for recipe in (narrow, wide)]
    assert found[0].memory is not None
    assert found[1].memory is not None
    weights = 4 * (2_048 * 2_048 * 2 + 2_048 * 8)
    assert 4 * weights < found[1].memory - found[0].memory < 12 * weights


def test_a_recipe_that_cannot_be_tried_says_why() -> None:
    with pytest.raises(RecipeError, match="recipe=grid cannot be tried: batch=1000000 is larger than the data"):
        forecast(named("grid").with_(batch=1_000_000), "cpu", 0.1)


def test_a_forecast_reads_as_a_line() -> None:
    found = Forecast(3_700.0, 512.4, 3 << 30, None, 2, "bfloat16")
    assert found.line() == "62 min (512 images/s, bfloat16, 2 threads), 3.0 GiB of memory"
    assert [duration(seconds) for seconds in (12.4, 300.0, 20_000.0)] == ["12 s", "5 min", "5.6 h"]
