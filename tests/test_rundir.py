"""The run folder: whole or absent, and nothing damaged passes for sound."""

import errno
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from mulligan import rundir
from mulligan.errors import RunFolderError, StorageError
from mulligan.rundir import RunFolder, next_free, pack, unpack, write_whole

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


def test_tensors_and_facts_come_back_to_the_last_bit(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pack(TENSORS, {"images_seen": 5, "text": "ü"}))
    tensors, facts = unpack(tmp_path / "x")
    assert facts == {"images_seen": 5, "text": "ü"}
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert tensors[name].shape == tensor.shape
        assert torch.equal(tensors[name], tensor)


def damage(folder: Path, contents: Iterable[bytes]) -> list[bool]:
    """Whether each content is refused; what is not refused must hold the very same tensors and facts."""
    refused = []
    for content in contents:
        (folder / "x").write_bytes(content)
        try:
            tensors, facts = unpack(folder / "x")
        except RunFolderError:
            refused.append(True)
            continue
        refused.append(False)
        assert facts == {"images_seen": 5}
        assert tensors.keys() == TENSORS.keys()
        assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())
    return refused


def flips(whole: bytes, places: Iterable[int], by: int = 1) -> Iterator[bytes]:
    for place in places:
        content = bytearray(whole)
        content[place] ^= by
        yield bytes(content)


@pytest.mark.parametrize("by", [1, 32, 128, 255])
def test_no_flipped_byte_changes_what_is_read(by: int, tmp_path: Path) -> None:
    whole = pack(TENSORS, {"images_seen": 5})
    refused = damage(tmp_path, flips(whole, range(len(whole)), by))
    assert sum(refused) == len(whole)


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    whole = pack(TENSORS, {"images_seen": 5})
    assert all(damage(tmp_path, flips(whole, range(len(whole)))))


def test_a_hundred_flipped_bytes_of_the_tensors_are_noticed(tmp_path: Path) -> None:
    whole, rng = pack(TENSORS, {"images_seen": 5}), np.random.default_rng(0)
    start = 8 + int.from_bytes(whole[:8], "little")
    for _ in range(100):
        assert all(damage(tmp_path, flips(whole, [int(rng.integers(start, len(whole)))], int(rng.integers(1, 256)))))


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    whole = pack(TENSORS, {"images_seen": 5})
    assert all(damage(tmp_path, (whole[:length] for length in range(len(whole)))))


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


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor([float("nan"), float("inf"), -0.0]),
        torch.tensor(0.1),
        torch.tensor(-1.5, dtype=torch.bfloat16),
        torch.zeros(0, 3),
        torch.tensor([True, False]),
        torch.arange(6.0).reshape(2, 3).T,
    ],
    ids=["not finite", "a float32", "a bfloat16", "empty", "booleans", "transposed"],
)
def test_odd_tensors_come_back_to_the_last_bit(tensor: Tensor, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pack({"x": tensor}, {}))
    again = unpack(tmp_path / "x")[0]["x"]
    assert (again.dtype, again.shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(again.reshape(-1).view(torch.uint8), tensor.contiguous().reshape(-1).view(torch.uint8))


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
    assert "rundir.py" in texts
    assert [name for name, text in texts.items() if pickling.search(text)] == []


def test_a_rename_on_a_read_only_disk_is_put_in_words_and_leaves_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    write_whole(tmp_path / "x", b"old")
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StorageError) as caught:
        write_whole(tmp_path / "x", b"new")
    assert str(caught.value) == f"{tmp_path}/x cannot be written: the file system is read-only; choose another --run"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


def test_an_error_without_words_of_ours_keeps_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(rundir.os, "fsync", broken)
    with pytest.raises(StorageError) as caught:
        write_whole(tmp_path / "x", b"new")
    assert str(caught.value) == f"{tmp_path}/x cannot be written: [Errno 5] Input/output error; mend that and resume"


def test_a_write_broken_off_by_ctrl_c_leaves_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    write_whole(tmp_path / "x", b"old")
    monkeypatch.setattr(rundir.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "x", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


def test_the_file_and_then_its_folder_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(rundir.os, "fsync", lambda handle: flushed.append(Path(f"/proc/self/fd/{handle}").resolve()))
    write_whole(tmp_path / "x", b"new")
    assert flushed[-1] == tmp_path.resolve()
    assert flushed[0].parent == tmp_path.resolve()
    assert len(flushed) == 2


def test_a_checkpoint_that_cannot_be_written_costs_no_older_one(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.save_checkpoint(100, TENSORS, {"images_seen": 100}, keep=1)
    monkeypatch.setattr(rundir.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 0}))
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
    tensors, facts = folder.read_model()
    assert facts == {"shape": [1, 8, 8]}
    assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())


def test_a_run_without_events_has_none(folder: RunFolder) -> None:
    assert folder.events() == []


def test_the_last_event_cut_off_anywhere_costs_itself_only(folder: RunFolder) -> None:
    first, last = json.dumps({"images": 1, "terms": {"a": 0.5}}), json.dumps({"images": 2, "terms": {"b": [1, 2]}})
    for length in range(len(last)):
        folder.write("events.jsonl", f"{first}\n{last[:length]}")
        assert [event["images"] for event in folder.events()] == [1]


def test_forgetting_keeps_the_event_of_that_very_moment(folder: RunFolder) -> None:
    for images in (10, 20, 30):
        folder.append_event({"images": images, "note": "ü"})
    folder.forget_events_after(20)
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


@pytest.mark.parametrize("attempt", range(8))
def test_facts_that_look_like_a_blank_digest_do_no_harm(attempt: int, tmp_path: Path) -> None:
    facts = {"name": "-" * 32, "quoted": '"digest":"' + "-" * 32 + '"'}
    (tmp_path / "x").write_bytes(pack({"digest": torch.zeros(attempt)}, facts))
    assert unpack(tmp_path / "x")[1] == facts
