"""IDX files: read exactly, or refused with a reason."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from mulligan.data import IdxFile, idx
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


def test_flipped_bytes_of_a_gzipped_file_give_an_error_of_ours_or_a_whole_array(tmp_path: Path) -> None:
    whole, rng = gzip.compress(WHOLE, mtime=0), np.random.default_rng(2)
    refused = 0
    for _ in range(200):
        content = bytearray(whole)
        content[rng.integers(len(content))] ^= int(rng.integers(1, 256))
        (tmp_path / "x").write_bytes(bytes(content))
        try:
            assert np.array_equal(read_idx(tmp_path / "x"), PIXELS)  # gzip's checksum leaves only its unused header bytes
        except DataError:
            refused += 1
    assert refused > 100


def test_a_missing_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read: .*; check the file or choose other data"):
        read_idx(tmp_path / "no")


def test_four_dimensions_are_pictures_in_colour(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
    (tmp_path / "x").write_bytes(b"\0\0\x08\x04" + b"".join(size.to_bytes(4, "big") for size in pixels.shape) + pixels.tobytes())
    assert np.array_equal(IdxFile(str(tmp_path / "x")).load(None).items.numpy(), pixels.transpose(0, 3, 1, 2))


def test_pictures_come_at_the_size_asked_for(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(WHOLE)
    assert IdxFile(str(tmp_path / "x")).load(8).items.shape == (3, 1, 8, 8)


@pytest.mark.parametrize("sizes", [(0, 5, 4), (3, 0, 4)])
def test_a_file_without_a_pixel_is_refused(sizes: tuple[int, ...], tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\0\0\x08\x03" + b"".join(size.to_bytes(4, "big") for size in sizes))
    with pytest.raises(DataError):
        IdxFile(str(tmp_path / "x")).load(8)


def test_a_promise_that_the_file_cannot_keep_is_refused_before_room_is_made_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(b"\0\0\x08\x01\xf0\0\0\0" + bytes(99))
    monkeypatch.setattr(idx, "read_bytes", None)
    with pytest.raises(DataError, match="its header promises 4026531840 bytes and 99 follow; copy it again"):
        read_idx(tmp_path / "x")
