"""Every example in examples/ runs, shortened."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np

EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_own_loss_trains_and_logs(tmp_path: Path) -> None:
    run = example("own_loss").main(tmp_path / "run", images=51_200)
    assert run.recipe.loss.cap == 5.0
    assert len(run.events) == 2


def test_own_data_gives_samples(tmp_path: Path) -> None:
    samples = example("own_data").main(tmp_path / "data", images=640)
    assert samples.shape == (16, 1, 16, 16)
    assert np.abs(samples).max() <= 1


def test_own_features_measure_with_a_floor_beside(tmp_path: Path) -> None:
    scores = example("own_features").main(tmp_path / "run", images=640, n=100)
    assert scores.passport["features"] == "ink"
    assert scores["fd"].value > scores["fd"].floor


def test_no_example_is_left_out() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {"own_loss", "own_data", "own_features"}
