"""What reaches the disk: the very bits of the step, and what happens while the disk refuses."""

import itertools
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

import mulligan
from mulligan import storage
from mulligan.data import Grid
from mulligan.errors import StorageError
from mulligan.keeper import Keeper
from mulligan.recipe import Best, Recipe
from mulligan.recipes import named
from mulligan.rundir import RunFolder, images_of
from mulligan.training import Training

FREE = shutil.disk_usage("/").free


def recipe(**changes: Any) -> Recipe:
    small: dict[str, Any] = {
        "data": Grid(count=100),
        "batch": 16,
        "images": 640,
        "report_every_images": 64,
        "sample_every_images": 10**9,
        "checkpoint_every_images": 64,
        "best": None,
    }
    return named("grid").with_(**(small | changes))


def disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda path: type("Usage", (), {"free": free}))


def at_step(monkeypatch: pytest.MonkeyPatch, actions: dict[int, Any]) -> None:
    """Do something before a step of the run, counted from 1."""
    count, step = itertools.count(1), Training.step

    def counted(training: Training) -> None:
        if action := actions.get(next(count)):
            action(training)
        step(training)

    monkeypatch.setattr(Training, "step", counted)


def test_a_snapshot_is_the_step_it_was_taken_at_however_late_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer is held back for three steps; the file still holds the bits of its own step."""
    straight = mulligan.train(recipe(images=64), run=tmp_path / "straight", device="cpu")
    expected, _, _ = straight.folder.newest_checkpoint()
    release, write = threading.Event(), Keeper._write

    def late(self: Keeper, snapshot: Any) -> None:
        if snapshot.images_seen == 64:
            release.wait(30)
        write(self, snapshot)

    monkeypatch.setattr(Keeper, "_write", late)
    at_step(monkeypatch, {7: lambda training: release.set()})
    # rates follow the share of the run: a run of ten times the length that is as far along is another one
    run = mulligan.train(recipe(images=128, checkpoint_every_images=64), run=tmp_path / "late", device="cpu")
    monkeypatch.undo()
    prompt = mulligan.train(recipe(images=128, checkpoint_every_images=64), run=tmp_path / "prompt", device="cpu")
    for one, two in zip(run.folder.checkpoints(), prompt.folder.checkpoints(), strict=True):
        assert images_of(one) == images_of(two)
        ours, theirs = (storage_tensors(path) for path in (one, two))
        assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    assert expected.keys() == storage_tensors(run.folder.checkpoints()[-1]).keys()


def storage_tensors(path: Path) -> dict[str, torch.Tensor]:
    from mulligan.packed import unpack

    return unpack(path)[0]


def test_a_disk_that_is_full_for_a_while_costs_nothing_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = mulligan.train(recipe(), run=tmp_path / "straight", device="cpu")
    said: list[str] = []
    with monkeypatch.context() as patch:
        at_step(patch, {10: lambda training: disk(patch, 1 << 20), 25: lambda training: disk(patch, FREE)})
        run = mulligan.train(
            recipe(), run=tmp_path / "full", device="cpu", listener=lambda event: said.append(event.get("notice", ""))
        )
    complaints = [text for text in said if "the disk is full" in text]
    assert complaints
    assert all("the training goes on and tries again with the next checkpoint" in text for text in complaints)
    one, two = (folder.newest_checkpoint()[0] for folder in (straight.folder, run.folder))
    assert [name for name in one if not torch.equal(one[name], two[name])] == []
    assert [event["images"] for event in run.events] == [event["images"] for event in straight.events]


def test_a_disk_that_stays_full_ends_the_run_aloud_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(StorageError) as caught:
        at_step(patch, {10: lambda training: (training.keeper.writer.wait(), disk(patch, 1 << 20))})
        mulligan.train(recipe(), run=tmp_path / "run", device="cpu")
    assert str(caught.value) == (
        f"{tmp_path}/run/checkpoints/000000640.safetensors cannot be written: the disk is full (1 MiB free, 8 needed); "
        f"free some space; the last good checkpoint is intact, `mulligan resume {tmp_path}/run` goes on from it"
    )
    assert RunFolder.open(tmp_path / "run").newest_checkpoint()[1]["images_seen"] == 128
    straight = mulligan.train(recipe(), run=tmp_path / "straight", device="cpu")
    resumed = mulligan.resume(tmp_path / "run")
    one, two = (folder.newest_checkpoint()[0] for folder in (straight.folder, resumed.folder))
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


def test_a_folder_that_vanishes_is_said_and_the_run_ends_with_status_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    at_step(monkeypatch, {6: lambda training: (training.keeper.writer.wait(), shutil.rmtree(tmp_path / "run"))})
    with pytest.raises(StorageError, match="the folder is gone; put it back") as caught:
        mulligan.train(recipe(), run=tmp_path / "run", device="cpu", listener=lambda event: said.append(event.get("notice", "")))
    assert caught.value.exit_status == 1
    assert any("the folder is gone; put it back; the training goes on" in text for text in said)
    assert all(one != two for one, two in itertools.pairwise(said) if one)  # the same is not said twice in a row


def test_a_line_that_the_disk_cut_off_is_taken_back_and_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder.create(tmp_path / "run")
    folder.append_event({"images": 1})
    opened = Path.open

    class Cut:
        """A file that takes half of what it is given, once."""

        def __init__(self, file: Any):
            self.file = file

        def __enter__(self) -> "Cut":
            return self

        def __exit__(self, *details: Any) -> None:
            self.file.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def write(self, line: bytes) -> int:
            return self.file.write(line[: len(line) // 2])

    told: list[str] = []
    keeper = Keeper(folder, 3, told.append)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda self, *a, **k: Cut(opened(self, *a, **k)))
        keeper.log({"images": 2})
    assert "the disk is full" in told[0]
    assert (folder.path / "events.jsonl").read_text() == '{"images": 1}\n'
    keeper.log({"images": 3})
    assert [json.loads(line)["images"] for line in (folder.path / "events.jsonl").read_text().splitlines()] == [1, 2, 3]


def test_the_best_checkpoint_by_score_is_kept_beside_the_newest(tmp_path: Path) -> None:
    chosen = recipe(keep_checkpoints=1, best=Best("mean", larger=False), watch=None)
    values = iter([9.0, 5.0, 1.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.0, 9.0, 9.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mulligan.record.Record.scores", lambda self, due: {"scores": {"mean": next(values)}, "passport": {}})
        run = mulligan.train(chosen, run=tmp_path / "run", device="cpu")
    assert [images_of(path) for path in run.folder.checkpoints()] == [192, 640]
    newest, best = run.model(), run.model(best=True)
    weights = {name: value for name, value in storage_tensors(run.folder.checkpoints()[0]).items() if name.startswith("average.")}
    assert all(torch.equal(value, weights[f"average.{name}"]) for name, value in best.net.state_dict().items())
    assert not torch.equal(newest.sample(2), best.sample(2))


def test_a_run_without_a_score_has_no_best(tmp_path: Path) -> None:
    run = mulligan.train(recipe(images=16), run=tmp_path / "run", device="cpu")
    with pytest.raises(mulligan.MulliganError, match="has no best checkpoint: its recipe names no score; leave out --best"):
        run.model(best=True)
