"""Runs side by side: ranked where their passports are the same, and only there."""

from pathlib import Path
from typing import Any

import pytest

import mulligan
from mulligan.cli import main
from mulligan.compare import Compared, differences, page, tables, why_unranked
from mulligan.evaluate import Evaluation, Score

PASSPORT = {"n_real": 100, "n_fake": 100, "features": "pixels"}


def compared(run: mulligan.Run, name: str, **evaluations: Evaluation) -> Compared:
    base = Compared.of(run.folder, name)
    return Compared(name, base.folder, base.recipe, base.events, {found.key: found for found in evaluations.values()})


def found(value: float, error: float = 0.0, better: str = "lower", **changes: Any) -> Evaluation:
    return Evaluation({"fd": Score(value, value - error, value + error, None, better)}, PASSPORT | changes, 10)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> mulligan.Run:
    return mulligan.train("gaussian", images=40, run=tmp_path_factory.mktemp("runs") / "run", device="cpu")


def test_scores_with_one_passport_are_ranked(run: mulligan.Run) -> None:
    (table,) = tables([compared(run, "a", e=found(3.0)), compared(run, "b", e=found(2.0)), compared(run, "c", e=found(9.0))])
    assert table.best("fd") == ["b"]
    assert list(table.rows) == ["a", "b", "c"]


def test_what_the_intervals_do_not_tell_apart_leads_together(run: mulligan.Run) -> None:
    (table,) = tables(
        [compared(run, "a", e=found(2.5, 0.4)), compared(run, "b", e=found(2.0, 0.2)), compared(run, "c", e=found(9.0, 1))]
    )
    assert table.best("fd") == ["a", "b"]


@pytest.mark.parametrize(("better", "leader"), [("lower", "a"), ("higher", "c"), ("near 1", "b")])
def test_each_score_has_its_own_direction(run: mulligan.Run, better: str, leader: str) -> None:
    values = {"a": 0.2, "b": 1.1, "c": 3.0}
    (table,) = tables([compared(run, name, e=found(value, better=better)) for name, value in values.items()])
    assert table.best("fd") == [leader]


def test_different_passports_are_never_ranked_and_the_difference_is_named(run: mulligan.Run) -> None:
    runs = [compared(run, "a", e=found(3.0)), compared(run, "b", e=found(2.0, n_fake=50, features="classifier"))]
    assert tables(runs) == []
    lines = list(why_unranked(runs))
    assert lines[0] == "a at 10 images (pixels) is not ranked; its passport differs: n_fake 100 / 50, features pixels / classifier"
    assert len(lines) == 2
    assert "is not ranked" in page(runs)


def test_a_part_that_only_one_passport_has_is_a_difference() -> None:
    assert differences({"seed": 0}, {"seed": 0, "note": 1}) == "note none / 1"


def test_the_command_shows_runs_and_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in (0, 1):
        mulligan.train("gaussian", images=80, seed=seed, run=tmp_path / f"run-{seed}", device="cpu")
    out = tmp_path / "pages" / "both.html"
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "run-0"), str(tmp_path / "run-1"), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "mean_error" in printed
    assert "*" in printed
    assert "passport: n_fake 2500, split exact" in printed
    text = out.read_text()
    assert text.count("<img") == 2
    assert text.count("<svg") >= 3
    assert "src=http" not in text


def test_one_run_alone_is_no_comparison(run: mulligan.Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(run.path)]) == 2
    assert "two runs or more" in capsys.readouterr().err
    assert main(["compare", str(run.path), str(run.path)]) == 2
    assert "one run twice" in capsys.readouterr().err
