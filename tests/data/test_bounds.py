"""Bounds on what a file may claim, and words that can be printed."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from mulligan.data.bounds import (
    MOST_ARRAY_BYTES,
    PIECE,
    SMALL,
    check_size,
    open_file,
    printable,
    read_bytes,
    read_into_memory,
    reason,
)


def test_no_more_is_read_than_was_agreed() -> None:
    content = os.urandom(2 * PIECE + 5)
    for most in (0, 1, PIECE, PIECE + 1, len(content), len(content) + 9):
        assert read_into_memory(io.BytesIO(content), most).read() == content[:most]
        assert read_bytes(io.BytesIO(content), most).tobytes() == content[:most]
        assert read_bytes(io.BytesIO(content[7:]), most, content[:7]).tobytes() == content[:most]


@pytest.mark.parametrize(("packed", "unpacked"), [(0, 0), (1, SMALL), (SMALL, SMALL * 200), (MOST_ARRAY_BYTES, MOST_ARRAY_BYTES)])
def test_what_files_really_do_is_believed(packed: int, unpacked: int) -> None:
    check_size(packed, min(unpacked, MOST_ARRAY_BYTES), MOST_ARRAY_BYTES)


@pytest.mark.parametrize(
    ("packed", "unpacked", "why"),
    [
        (100, 101 << 30, "it claims 108,447,924,224 bytes, and no more than 4,294,967,296 are read"),
        (1 << 10, 1 << 30, "it claims to swell from 1,024 to 1,073,741,824 bytes, as only a bomb does"),
    ],
)
def test_what_only_a_bomb_does_is_refused(packed: int, unpacked: int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_size(packed, unpacked, MOST_ARRAY_BYTES)


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    for place in (tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match="it is no regular file"):
            open_file(place)


def test_every_reason_is_one_printable_line() -> None:
    assert reason(FileNotFoundError(2, "No such file", "a\nb")) == "No such file"
    assert reason(ValueError("two\n  lines \x1b[31m")) == "two lines \\x1b[31m"
    assert reason(zipfile.BadZipFile()) == "BadZipFile"
    assert printable("猫\n\udcff\u2028") == "猫\\n\\udcff\\u2028"
