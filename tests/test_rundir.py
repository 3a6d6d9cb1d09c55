"""The run folder: whole or absent, and nothing damaged passes for sound."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mulligan import rundir
from mulligan.errors import RunFolderError, StorageError
from mulligan.rundir import RunFolder, next_free, pack, unpack, write_whole

TENSORS: dict[str, Tensor] = {
    "weights": torch.arange(12, dtype=torch.float32).reshape(3, 4) / 7,
    "half": torch.tensor([1.5, -2.25], dtype=torch.bfloat16),
    "counter": torch.tensor(7),
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


def test_tensors_and_facts_come_back_to_the_last_bit(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pack(TENSORS, {"images_seen": 5, "text": "ü"}))
    tensors, facts = unpack(tmp_path / "x")
    assert facts == {"images_seen": 5, "text": "ü"}
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert tensors[name].shape == tensor.shape
        assert torch.equal(tensors[name], tensor)


def test_a_hundred_flipped_bytes_and_every_truncation_are_noticed(tmp_path: Path) -> None:
    whole, rng = pack(TENSORS, {"images_seen": 5}), np.random.default_rng(0)
    damaged = []
    for _ in range(100):
        content = bytearray(whole)
        content[rng.integers(len(content))] ^= int(rng.integers(1, 256))
        damaged.append(bytes(content))
    damaged += [whole[:length] for length in range(0, len(whole), len(whole) // 20)]
    noticed = 0
    for content in damaged:
        (tmp_path / "x").write_bytes(content)
        try:
            unpack(tmp_path / "x")
        except RunFolderError:
            noticed += 1
    assert noticed == len(damaged)


def test_a_write_that_fails_midway_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_whole(tmp_path / "x", b"old")
    monkeypatch.setattr(rundir.os, "fsync", full)
    with pytest.raises(StorageError, match="the disk is full"):
        write_whole(tmp_path / "x", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EROFS, "the file system is read-only; choose another --run"),
        (errno.EACCES, "writing is not permitted; change the permissions or choose another --run"),
        (errno.ENOENT, "the folder is gone; put it back and resume, or start again"),
    ],
)
def test_the_systems_errors_are_put_in_words(code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *arguments: Any, **options: Any) -> Any:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StorageError) as caught:
        write_whole(tmp_path / "x", b"new")
    assert str(caught.value) == f"{tmp_path}/x cannot be written: {words}"


def test_a_full_disk_is_noticed_before_anything_is_touched(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.save_checkpoint(100, TENSORS, {"images_seen": 100}, keep=3)
    monkeypatch.setattr(rundir.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 2 << 20}))
    with pytest.raises(StorageError) as caught:
        folder.save_checkpoint(200, TENSORS, {"images_seen": 200}, keep=3)
    assert str(caught.value) == (
        f"{folder.path}/checkpoints/000000200.safetensors cannot be written: the disk is full (2 MiB free, 8 needed); "
        "free some space and resume"
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
    with pytest.raises(RunFolderError, match=r"has no model\.safetensors yet; train it a little longer"):
        folder.read_model()


def test_events_survive_a_line_cut_off_by_a_crash(folder: RunFolder) -> None:
    for images in (10, 20, 30):
        folder.append_event({"images": images})
    with (folder.path / "events.jsonl").open("a") as file:
        file.write('{"images": 4')
    assert [event["images"] for event in folder.events()] == [10, 20, 30]
    folder.forget_events_after(20)
    folder.append_event({"images": 30})
    assert [event["images"] for event in folder.events()] == [10, 20, 30]


def test_runs_are_numbered_from_one(tmp_path: Path) -> None:
    assert next_free(tmp_path, "mnist") == tmp_path / "mnist-0001"
    (tmp_path / "mnist-0001").mkdir()
    assert next_free(tmp_path, "mnist") == tmp_path / "mnist-0002"
