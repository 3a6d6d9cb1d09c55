"""The run folder: whole or absent, and nothing damaged passes for sound."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from mulligan import rundir, storage
from mulligan.errors import RunFolderError, StorageError
from mulligan.model import read_model
from mulligan.packed import unpack
from mulligan.rundir import RunFolder, next_free

TENSORS: dict[str, Tensor] = {
    "weights": torch.arange(12, dtype=torch.float32).reshape(3, 4) / 7,
    "half": torch.tensor([1.5, -2.25], dtype=torch.bfloat16),
    "counter": torch.tensor(7),
    "places": torch.tensor([2**62 + 1, -3]),
    "precise": torch.tensor(1 / 3, dtype=torch.float64),
}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path / "run")
    made.write("recipe.json", '{"recipe": {}}')
    return made


def test_a_folder_that_holds_a_run_or_anything_else_is_not_made_a_run(folder: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"already holds a run; go on with `mulligan resume "):
        RunFolder.create(folder.path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(RunFolderError) as caught:
        RunFolder.create(tmp_path / "mine")
    assert str(caught.value) == f"run={tmp_path}/mine exists and is not an empty folder; choose another --run"


def test_only_a_run_is_opened(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="does not exist, so it is not a run; start one with `mulligan train --run "):
        RunFolder.open(tmp_path / "no")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "recipe.json").write_text("{")
    with pytest.raises(RunFolderError, match=r"has an unreadable recipe\.json"):
        RunFolder.open(tmp_path / "broken").read_recipe()


def test_a_full_disk_is_noticed_before_anything_is_touched(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.save_checkpoint(100, TENSORS, {"images_seen": 100}, keep=3)
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 2 << 20}))
    with pytest.raises(StorageError) as caught:
        folder.save_checkpoint(200, TENSORS, {"images_seen": 200}, keep=3)
    assert str(caught.value) == (
        f"{folder.path}/checkpoints/000000200.safetensors cannot be written: the disk is full (2 MiB free, 8 needed); "
        "free some space"
    )
    assert folder.newest_checkpoint()[1] == {"images_seen": 100}


def test_the_newest_checkpoints_are_kept(folder: RunFolder) -> None:
    for images in (100, 200, 300, 400):
        folder.save_checkpoint(images, TENSORS, {"images_seen": images}, keep=2)
    assert [path.name for path in folder.checkpoints()] == ["000000300.safetensors", "000000400.safetensors"]
    assert folder.newest_checkpoint()[1] == {"images_seen": 400}


def test_a_damaged_checkpoint_is_passed_over_in_one_line(folder: RunFolder) -> None:
    for images in (100, 200):
        folder.save_checkpoint(images, TENSORS, {"images_seen": images}, keep=2)
    path = folder.checkpoints()[-1]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    _, facts, passed_over = folder.newest_checkpoint()
    assert facts == {"images_seen": 100}
    assert passed_over == [f"{path} is damaged: its content does not match its digest"]
    folder.checkpoints()[0].write_bytes(b"")
    with pytest.raises(RunFolderError, match="cannot go on, none of its checkpoints can be read"):
        folder.newest_checkpoint()


def test_a_run_without_checkpoint_or_model_says_so(folder: RunFolder) -> None:
    with pytest.raises(RunFolderError, match="cannot go on, it has no checkpoint yet; start again with another --run"):
        folder.newest_checkpoint()
    with pytest.raises(RunFolderError, match=r"model\.safetensors does not exist yet; train a little longer"):
        read_model(folder.path / "model.safetensors")


def test_events_survive_a_line_cut_off_by_a_crash(folder: RunFolder) -> None:
    for images in (10, 20, 30):
        folder.append_event({"images": images})
    with (folder.path / "events.jsonl").open("a") as file:
        file.write('{"images": 4')
    assert [event["images"] for event in folder.events()] == [10, 20, 30]
    folder.keep_events(2)
    folder.append_event({"images": 30})
    assert [event["images"] for event in folder.events()] == [10, 20, 30]


def test_runs_are_numbered_from_one(tmp_path: Path) -> None:
    assert next_free(tmp_path, "mnist") == tmp_path / "mnist-0001"
    (tmp_path / "mnist-0001").mkdir()
    assert next_free(tmp_path, "mnist") == tmp_path / "mnist-0002"


def test_a_run_is_never_made_where_one_is(folder: RunFolder) -> None:
    with pytest.raises(RunFolderError) as caught:
        RunFolder.create(folder.path)
    assert str(caught.value) == (
        f"run={folder.path} already holds a run; go on with `mulligan resume {folder.path}` or choose another --run"
    )
    assert folder.read_recipe() == {"recipe": {}}


def test_a_run_may_be_made_in_an_empty_folder(tmp_path: Path) -> None:
    assert RunFolder.create(tmp_path).path == tmp_path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoints", "samples"]


def test_a_folder_without_recipe_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError) as caught:
        RunFolder.open(tmp_path)
    assert str(caught.value) == (
        f"run={tmp_path} has no recipe.json, so it is not a run; start one with `mulligan train --run {tmp_path}`"
    )


def test_a_run_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a part of the path is a file; choose another --run"):
        RunFolder.create(tmp_path / "file" / "run")


def test_a_recipe_file_without_a_recipe_is_refused(folder: RunFolder) -> None:
    folder.write("recipe.json", "[]")
    with pytest.raises(RunFolderError, match=r"has a recipe\.json without a recipe; restore it from a copy"):
        folder.read_recipe()


def test_a_file_of_the_same_format_by_someone_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(safetensors.torch.save({"x": torch.zeros(2)}))
    with pytest.raises(RunFolderError) as caught:
        unpack(tmp_path / "x")
    assert str(caught.value) == f"{tmp_path}/x is damaged: its content does not match its digest"


class Bomb:
    def __init__(self, target: Path):
        self.target = str(target)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path(self.target),))


def test_a_pickle_in_a_checkpoints_place_is_refused_and_never_run(folder: RunFolder, tmp_path: Path) -> None:
    torch.save({"x": Bomb(tmp_path / "exploded")}, folder.path / "checkpoints" / "000000100.safetensors")
    with pytest.raises(RunFolderError):
        folder.newest_checkpoint()
    assert not (tmp_path / "exploded").exists()


def test_no_file_of_ours_pickles() -> None:
    source = Path(rundir.__file__).parent
    pickling = re.compile(
        r"torch\.(load|save)\(|\b(c?pickle|dill|joblib|shelve|marshal)\b\.?(load|dump|\s*$)|import (pickle|dill|joblib|shelve)"
    )
    texts = {path.name: path.read_text(encoding="utf-8") for path in source.rglob("*.py")}
    known_file = (
        'torch.load(path, map_location="cpu", weights_only=True)'  # of Inception's weights, after its SHA-256 was looked at
    )
    texts["inception.py"] = texts["inception.py"].replace(known_file, "")
    assert "rundir.py" in texts
    assert [name for name, text in texts.items() if pickling.search(text)] == []


def test_a_checkpoint_that_cannot_be_written_costs_no_older_one(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.save_checkpoint(100, TENSORS, {"images_seen": 100}, keep=1)
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 0}))
    with pytest.raises(StorageError):
        folder.save_checkpoint(200, TENSORS, {"images_seen": 200}, keep=1)
    assert [path.name for path in folder.checkpoints()] == ["000000100.safetensors"]


def test_the_checkpoint_just_saved_is_kept_beside_a_damaged_newer_one(folder: RunFolder) -> None:
    for images in (100, 200):
        folder.save_checkpoint(images, TENSORS, {"images_seen": images}, keep=2)
    folder.checkpoints()[-1].write_bytes(b"")
    folder.save_checkpoint(150, TENSORS, {"images_seen": 150}, keep=1)
    assert folder.newest_checkpoint()[1] == {"images_seen": 150}


def test_checkpoints_are_ordered_beyond_a_billion_images(folder: RunFolder) -> None:
    for images in (999_999_999, 1_000_000_000):
        folder.save_checkpoint(images, {}, {"images_seen": images}, keep=2)
    assert folder.newest_checkpoint()[1] == {"images_seen": 1_000_000_000}


def test_a_model_comes_back_with_its_facts(folder: RunFolder) -> None:
    folder.save_model(TENSORS, {"shape": [1, 8, 8]})
    tensors, facts = unpack(folder.path / "model.safetensors")
    assert facts == {"shape": [1, 8, 8]}
    assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())


def test_a_run_without_events_has_none(folder: RunFolder) -> None:
    assert folder.events() == []


def test_the_last_event_cut_off_anywhere_costs_itself_only(folder: RunFolder) -> None:
    first, last = json.dumps({"images": 1, "terms": {"a": 0.5}}), json.dumps({"images": 2, "terms": {"b": [1, 2]}})
    for length in range(len(last)):
        folder.write("events.jsonl", f"{first}\n{last[:length]}")
        assert [event["images"] for event in folder.events()] == [1]


def test_only_the_first_events_are_kept(folder: RunFolder) -> None:
    for images in (10, 20, 30):
        folder.append_event({"images": images, "note": "ü"})
    folder.keep_events(2)
    assert folder.events() == [{"images": 10, "note": "ü"}, {"images": 20, "note": "ü"}]


def test_an_event_that_is_no_number_is_never_written(folder: RunFolder) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        folder.append_event({"images": 1, "terms": {"a": float("nan")}})
    assert folder.events() == []


def test_events_survive_bytes_that_are_no_text(folder: RunFolder) -> None:
    (folder.path / "events.jsonl").write_bytes(b'{"images": 1}\n\xff\xfe\n')
    assert folder.events() == [{"images": 1}]


def test_a_free_number_between_taken_ones_is_used(tmp_path: Path) -> None:
    for number in (1, 2, 4):
        (tmp_path / f"mnist-{number:04d}").mkdir()
    assert next_free(tmp_path, "mnist") == tmp_path / "mnist-0003"
