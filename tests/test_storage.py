"""Writing: the old file or the new one, never half, and the system's errors in words."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from mulligan import storage
from mulligan.errors import StorageError
from mulligan.storage import write_whole


def test_a_write_that_fails_midway_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_whole(tmp_path / "x", b"old")
    monkeypatch.setattr(storage.os, "fsync", full)
    with pytest.raises(StorageError, match="the disk is full"):
        write_whole(tmp_path / "x", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EROFS, "the file system is read-only; choose another --run"),
        (errno.EACCES, "writing is not permitted; change the permissions or choose another --run"),
        (errno.ENOENT, "the folder is gone; put it back"),
    ],
)
def test_the_systems_errors_are_put_in_words(code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *arguments: Any, **options: Any) -> Any:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StorageError) as caught:
        write_whole(tmp_path / "x", b"new")
    assert str(caught.value) == f"{tmp_path}/x cannot be written: {words}"


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

    monkeypatch.setattr(storage.os, "fsync", broken)
    with pytest.raises(StorageError) as caught:
        write_whole(tmp_path / "x", b"new")
    assert str(caught.value) == f"{tmp_path}/x cannot be written: [Errno 5] Input/output error; mend that"


def test_a_write_broken_off_by_ctrl_c_leaves_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    write_whole(tmp_path / "x", b"old")
    monkeypatch.setattr(storage.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "x", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


def test_the_file_and_then_its_folder_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(storage.os, "fsync", lambda handle: flushed.append(Path(f"/proc/self/fd/{handle}").resolve()))
    write_whole(tmp_path / "x", b"new")
    assert flushed[-1] == tmp_path.resolve()
    assert flushed[0].parent == tmp_path.resolve()
    assert len(flushed) == 2
