"""IDX files: read exactly, or refused with a reason."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from mulligan.data import IdxFile
from mulligan.data.idx import read_idx
from mulligan.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 5, 4), dtype=np.uint8)
WHOLE = b"\0\0\x08\x03" + b"".join(size.to_bytes(4, "big") for size in PIXELS.shape) + PIXELS.tobytes()


@pytest.mark.parametrize("content", [WHOLE, gzip.compress(WHOLE)], ids=["plain", "gzip"])
def test_the_array_comes_back_gzipped_or_not(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    assert np.array_equal(read_idx(tmp_path / "x"), PIXELS)
    assert IdxFile(str(tmp_path / "x")).load(None).items.shape == (3, 1, 5, 4)


def test_cut_off_anywhere_it_is_refused(tmp_path: Path) -> None:
    for content in (WHOLE, gzip.compress(WHOLE)):
        for length in range(len(content)):
            (tmp_path / "x").write_bytes(content[:length])
            with pytest.raises(DataError):
                read_idx(tmp_path / "x")


def test_flipped_bytes_give_an_error_of_ours_or_other_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(200):
        content = bytearray(WHOLE)
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        (tmp_path / "x").write_bytes(bytes(content))
        try:
            assert read_idx(tmp_path / "x").size == PIXELS.size
        except DataError:
            refused += 1
    assert refused > 10


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not an IDX file of unsigned bytes: it starts with nothing"),
        (b"\x89PNG", "is not an IDX file of unsigned bytes: it starts with 89 50 4e 47"),
        (b"\0\0\x08\x03\0\0", "is an IDX file cut off inside its header, after 6 bytes; copy it again"),
        (
            b"\0\0\x08\x01\xff\xff\xff\xff",
            "is a damaged IDX file: its header promises 4294967295 bytes and 0 follow; copy it again",
        ),
    ],
)
def test_the_reason_is_named(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_idx(tmp_path / "x")
    assert str(caught.value) == f"data={tmp_path}/x {reason}"


def test_labels_are_no_images(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\0\0\x08\x01\0\0\0\x02\x07\x01")
    with pytest.raises(DataError, match=r"holds an array of shape \(2,\); images need"):
        IdxFile(str(tmp_path / "x")).load(None)
