"""Scores with their passport, of runs and while they train."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mulligan
from mulligan.data import ArrayFile, Grid
from mulligan.errors import ArgumentError, DataError, FeaturesError, RunFolderError, Stopped
from mulligan.evaluate import BETTER, METRICS, Evaluation, Judge, Score, passport_key
from mulligan.features import Extractor, Identity, Pixels
from mulligan.judges import Question, judge_for
from mulligan.networks import DcganDiscriminator, DcganGenerator
from mulligan.parts import Dataset
from mulligan.recipe import Best, Recipe, Scoring
from mulligan.rundir import images_of

CPU = torch.device("cpu")


def points(count: int, seed: int) -> torch.Tensor:
    return Grid(count, data_seed=seed).load(None).items


def judge(*names: str, other: bool = True, is_train: bool = True, count: int = 300) -> Judge:
    data, more = Grid(count, data_seed=1).load(None), Grid(2 * count).load(None)
    return Judge(Identity().open(data, CPU), data, more if other else None, is_train, "grid test", tuple(names), count)


@pytest.fixture
def pictures(tmp_path: Path) -> ArrayFile:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "p.npz", images=rng.integers(0, 256, (400, 8, 8), dtype=np.uint8), labels=rng.integers(0, 2, 400))
    return ArrayFile(str(tmp_path / "p.npz"))


def recipe(data: ArrayFile, **changes: Any) -> Recipe:
    small: dict[str, Any] = {
        "data": data,
        "generator": DcganGenerator(4),
        "discriminator": DcganDiscriminator(4),
        "batch": 16,
        "images": 160,
        "held_out": 0.25,
        "report_every_images": 32,
        "sample_every_images": 10**9,
        "checkpoint_every_images": 64,
    }
    return mulligan.named("mnist").with_(**(small | changes))


# the judge


@pytest.mark.parametrize("name", [name for name in METRICS if name != "is"])
def test_every_metric_gives_values_with_errors_and_knows_which_way_is_better(name: str) -> None:
    found = judge(name).evaluate(points(200, 2), {"seed": 0})
    assert found
    for key, score in found.items():
        assert score.low <= score.value <= score.high
        assert score.better == BETTER[key]
    assert json.loads(json.dumps(found.to_json())) == json.loads(json.dumps(Evaluation.from_json(found.to_json()).to_json()))


def test_real_samples_get_the_floor_and_collapsed_ones_do_not() -> None:
    """Fakes that are real samples of neither split score as the floor does; fakes of one mode far worse."""
    ours = judge("fd", "kid", "pr", "dc", "modes", count=1_000)
    real, collapsed = ours.evaluate(points(1_000, 5), {}), ours.evaluate(points(1_000, 5)[:1].expand(1_000, 2), {})
    for name in ("fd", "kid"):
        floor = real[name].floor
        assert floor is not None
        assert real[name].value < collapsed[name].value / 20
        assert abs(real[name].value - floor) < collapsed[name].value / 20
    assert real["recall"].value > 0.8 > 0.1 > collapsed["recall"].value
    assert real["coverage"].value > 0.8 > 0.1 > collapsed["coverage"].value
    assert (real["modes"].value, collapsed["modes"].value) == (25, 1)


def test_fakes_learnt_by_heart_are_found_out() -> None:
    ours = judge("memory")
    assert ours.other is not None
    copied = ours.evaluate(ours.other.items[:200], {})
    assert copied["exact_copies"].value == 200
    assert copied["nearer_to_train"].value > 0.7
    honest = ours.evaluate(points(200, 7), {})
    assert honest["exact_copies"].value == 0
    assert honest["nearer_to_train"].value < 0.6


def test_the_passport_says_what_was_compared_and_its_key_changes_with_every_part_of_it() -> None:
    found = judge("fd").evaluate(points(200, 2), {"truncation": 1.0, "seed": 0, "generator": "averaged"})
    assert found.passport["n_real"] == 300
    assert found.passport["n_fake"] == 200
    wanted = {"n_real", "n_fake", "split", "features", "features_sha256", "resize", "truncation", "seed", "generator", "interval"}
    assert wanted <= set(found.passport)
    for name in found.passport:
        assert passport_key(found.passport | {name: "other"}) != found.key


def test_the_word_fid_is_for_inception_alone() -> None:
    ours = judge("fd", "fd-infinity")
    assert set(ours.evaluate(points(200, 2), {})) == {"fd", "fd_infinity"}
    inception = dataclasses.replace(ours, extractor=dataclasses.replace(ours.extractor, name="inception"))
    assert set(inception.evaluate(points(200, 2), {})) == {"fid", "fid_infinity"}


def test_a_share_and_its_interval_stay_between_none_and_all() -> None:
    for fakes in (points(200, 2), points(1, 2).expand(200, 2), points(200, 2) + 100):
        for name in ("precision", "recall", "coverage", "high_quality"):
            score = judge("pr", "dc", "modes").evaluate(fakes, {})[name]
            assert 0 <= score.low <= score.value <= score.high <= 1


def test_too_few_samples_are_told_with_what_to_look_at_instead() -> None:
    ours = dataclasses.replace(judge("fd"), extractor=Extractor("wide", "0" * 64, lambda x: x.repeat(1, 100)))
    (doubt,) = ours.evaluate(points(200, 2), {}).warnings
    assert "n=200 is too small" in doubt
    assert "kid" in doubt
    assert not judge("fd").evaluate(points(200, 2), {}).warnings


def test_without_other_real_samples_there_is_no_floor_and_it_is_said() -> None:
    found = judge("fd", other=False).evaluate(points(200, 2), {})
    assert found["fd"].floor is None
    assert any("no floor" in doubt for doubt in found.warnings)


def test_a_metric_that_does_not_fit_says_what_does() -> None:
    with pytest.raises(FeaturesError, match="no such head; use --features classifier"):
        judge("is").evaluate(points(200, 2), {})
    with pytest.raises(FeaturesError, match="not trained on"):
        judge("memory", is_train=False).evaluate(points(200, 2), {})
    with pytest.raises(FeaturesError, match="none of fd"):
        judge("fidd")
    unknown = dataclasses.replace(judge("modes"), reference=Dataset(points(200, 1)))
    with pytest.raises(FeaturesError, match="modes are known"):
        unknown.evaluate(points(200, 2), {})


@pytest.mark.parametrize("changes", [{"n": 3}, {"seed": -1}])
def test_a_question_that_cannot_be_answered_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        Question(**changes)


# runs


def test_a_run_is_evaluated_against_what_it_never_saw(pictures: ArrayFile, tmp_path: Path) -> None:
    run = mulligan.train(recipe(pictures), run=tmp_path / "run", device="cpu")
    found = run.evaluate(60, features=Pixels(), metrics=("fd", "pr"), device="cpu")
    assert found.passport["split"] == f"array-file {pictures.path} 25.0% held out"
    assert found.passport["n_real"] == 60
    assert found.images_seen == 160
    assert found.passport["generator"] == "averaged"
    (kept,) = run.evaluations
    assert kept == found
    raw = run.evaluate(60, features=Pixels(), metrics=("fd",), weights="raw", device="cpu")
    assert raw.passport["generator"] == "raw"
    assert raw["fd"].value != found["fd"].value
    assert len(run.evaluations) == 2
    assert "25.0% held out" in (run.path / "report.html").read_text()
    train = run.evaluate(60, features=Pixels(), metrics=("fd",), reference="train", device="cpu")
    assert train.passport["split"].endswith("all but the 25.0% held out")


def test_the_same_question_has_the_same_answer(pictures: ArrayFile, tmp_path: Path) -> None:
    run = mulligan.train(recipe(pictures), run=tmp_path / "run", device="cpu")
    asked = [run.evaluate(50, features=Pixels(), device="cpu") for _ in range(2)]
    assert asked[0] == asked[1]
    assert asked[0].key != run.evaluate(50, features=Pixels(), seed=1, device="cpu").key


def test_other_data_is_a_reference_when_it_fits(pictures: ArrayFile, tmp_path: Path) -> None:
    chosen = recipe(pictures)
    np.save(tmp_path / "other.npy", np.zeros((30, 8, 8), np.uint8))
    asked = Question(n=20, features=Pixels(), reference=str(tmp_path / "other.npy"))
    assert judge_for(chosen, CPU, asked).split == f"array-file {tmp_path / 'other.npy'}"
    np.save(tmp_path / "colour.npy", np.zeros((30, 8, 8, 3), np.uint8))
    with pytest.raises(DataError, match="give fitting data"):
        judge_for(chosen, CPU, dataclasses.replace(asked, reference=str(tmp_path / "colour.npy")))
    with pytest.raises(DataError, match="use --reference train"):
        judge_for(chosen.with_(held_out=0.0), CPU, dataclasses.replace(asked, reference="test"))
    assert judge_for(chosen.with_(held_out=0.0), CPU, dataclasses.replace(asked, reference=None)).other is None


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"scores": 3}', '{"scores": {"fd": {}}, "passport": {}}', "[" * 5_000])
def test_an_evaluation_that_is_none_is_told_in_a_line(text: str, pictures: ArrayFile, tmp_path: Path) -> None:
    run = mulligan.train(recipe(pictures, images=16), run=tmp_path / "run", device="cpu")
    (run.path / "evaluations").mkdir()
    (run.path / "evaluations" / "000000016-x.json").write_text(text)
    with pytest.raises(RunFolderError, match="evaluation"):
        _ = run.evaluations


def test_features_with_an_odd_name_still_have_a_file(pictures: ArrayFile, tmp_path: Path) -> None:
    run = mulligan.train(recipe(pictures, images=16), run=tmp_path / "run", device="cpu")
    run.evaluate(30, features=lambda x: x.flatten(1), metrics=("fd",), device="cpu")
    (kept,) = (run.path / "evaluations").iterdir()
    assert kept.name.startswith("000000016--lambda--")


# while training

SCORING = Scoring(every_images=64, metrics=("fd", "pr"), features=Pixels(), count=30)


def test_a_recipe_scores_every_so_many_images_and_at_the_end(pictures: ArrayFile, tmp_path: Path) -> None:
    run = mulligan.train(recipe(pictures, scoring=SCORING), run=tmp_path / "run", device="cpu")
    scored = [event["images"] for event in run.events if "scores" in event]
    assert scored == [64, 128, 160]
    last = run.events[-1]
    assert set(last["scores"]) == {"fd", "precision", "recall"}
    same = run.evaluate(30, metrics=("fd", "pr"), features=Pixels(), device="cpu")
    assert last["scores"]["fd"] == pytest.approx(same["fd"].value, rel=1e-9)
    assert last["passport"] == same.passport


def test_scoring_changes_nothing_of_the_run(pictures: ArrayFile, tmp_path: Path) -> None:
    plain = mulligan.train(recipe(pictures), run=tmp_path / "plain", device="cpu")
    scored = mulligan.train(recipe(pictures, scoring=SCORING), run=tmp_path / "scored", device="cpu")
    ours, theirs = (run.folder.newest_checkpoint()[0] for run in (plain, scored))
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


def test_a_stopped_run_that_scores_is_the_same_run(pictures: ArrayFile, tmp_path: Path) -> None:
    chosen = recipe(pictures, scoring=SCORING, best=Best("fd", larger=False))
    straight = mulligan.train(chosen, run=tmp_path / "straight", device="cpu")
    with pytest.raises(Stopped):
        mulligan.train(chosen, run=tmp_path / "stopped", device="cpu", max_hours=1e-9)
    resumed = mulligan.resume(tmp_path / "stopped", device="cpu")
    scores = [[event["scores"] for event in run.events if "scores" in event] for run in (straight, resumed)]
    assert scores[0] == scores[1]
    assert straight.folder.newest_checkpoint()[1]["best"] == resumed.folder.newest_checkpoint()[1]["best"]


def test_a_run_ends_when_patience_does_and_says_so(pictures: ArrayFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([5.0, 3.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0])
    monkeypatch.setattr(Judge, "measure", lambda self, fake: {"fd": (next(values), 0.0)})
    chosen = recipe(pictures, images=640, scoring=SCORING, best=Best("fd", larger=False, patience_images=128))
    told: list[dict[str, Any]] = []
    run = mulligan.train(chosen, run=tmp_path / "run", device="cpu", listener=told.append)
    # the second score, of 128 images, stays the best: 128 images later the run is over
    assert run.events[-1]["images"] == 256
    assert "ended early at 256 images: nothing better than fd 3, of 128 images" in told[-1]["notice"]
    assert 128 in [images_of(path) for path in run.folder.checkpoints()]
    again = mulligan.resume(run.path, device="cpu", listener=told.append)
    assert again.events[-1]["images"] == 256


def test_a_score_is_a_number() -> None:
    assert float(Score(2.5, 2.0, 3.0)) == 2.5
