"""The program that writes docs/quality.md: its rows can be made, and its page says what was measured and nothing else."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mulligan

PROGRAM = Path(__file__).parent.parent / "benchmarks" / "quality.py"


@pytest.fixture
def quality(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("quality", PROGRAM)
    assert spec and spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "quality", module)
    spec.loader.exec_module(module)
    (tmp_path / "quality.md").write_text(module.PAGE.read_text())
    module.RESULTS, module.PAGE = tmp_path / "results", tmp_path / "quality.md"
    yield module


def test_every_row_is_a_recipe_in_a_table_with_published_ones(quality: Any) -> None:
    for row in quality.ROWS.values():
        assert isinstance(row.make(), mulligan.Recipe)
        assert len(quality.PUBLISHED[row.table]) >= 3
        columns = len(quality.COLUMNS[row.table])
        assert all(len(published) == columns + 1 for published in quality.PUBLISHED[row.table])
        assert f"<!-- table {row.table} -->" in quality.PAGE.read_text()


def test_a_row_is_trained_scored_and_written_and_its_seeds_are_kept(quality: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = quality.dataclasses.replace(quality.ROWS["grid"], make=quality.recipe("grid", images=2_560))
    monkeypatch.setitem(quality.ROWS, "grid", quick)
    quality.write_page()
    assert "**`grid`" not in quality.PAGE.read_text()
    quality.run_row("grid", 2)
    kept = json.loads((quality.RESULTS / "grid.json").read_text())
    assert [run["seed"] for run in kept["runs"]] == [0, 1]
    assert kept["runs"][0]["scores"] != kept["runs"][1]["scores"]
    assert kept["runs"][0]["passport"]["n_fake"] == 2_500
    line = next(line for line in quality.PAGE.read_text().splitlines() if line.startswith("| **`grid`"))
    assert "| 2 | 10 |" in line  # runs, steps
    monkeypatch.setattr(quality, "measure", lambda row, seed: pytest.fail("it was measured already"))
    quality.run_row("grid", 2)


def test_the_page_keeps_its_words_and_is_the_same_when_written_twice(quality: Any) -> None:
    quality.write_page()
    once = quality.PAGE.read_text()
    quality.write_page()
    assert quality.PAGE.read_text() == once
    assert once.startswith("# Quality: published tables and our rows")
    assert "| PacGAN4 | 24.8 ± 0.2 | 93.6 ± 0.6 % | 0.04 ± 0.01 |" in once
