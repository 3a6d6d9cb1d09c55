"""What holds for any content of a file: it is read as its header says, or refused with an error of ours, without a warning."""

import gzip
import io
import math
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from mulligan.data import Archive, ArrayFile, Folder, IdxFile
from mulligan.data.arrays import read_arrays
from mulligan.data.idx import read_idx
from mulligan.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
SHAPES = st.lists(st.integers(0, 5), min_size=1, max_size=5).map(tuple)
KINDS = st.sampled_from(["|u1", "|i1", "<i4", ">i8", "<f2", "<f4", ">f8", "|b1", "<c8", "<U3", "|S2"])


@st.composite
def changed(draw: st.DrawFn, good: bytes) -> bytes:
    """A good file with some bytes changed, perhaps cut off, perhaps with more at the end."""
    content = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    cut = draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    return bytes(content[:cut]) + draw(st.one_of(st.just(b""), st.binary(max_size=9)))


def saved(kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(PIXELS).save(content, kind, **options)
    return content.getvalue()


def exif() -> Image.Exif:
    block = Image.Exif()
    block[0x0112], block[0x010F] = 6, "a camera"
    return block


def idx(shape: tuple[int, ...], content: bytes) -> bytes:
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + content


@given(SHAPES, st.data(), st.booleans())
def test_an_idx_file_comes_back_as_it_was_written(
    tmp_path: Path, shape: tuple[int, ...], data: st.DataObject, packed: bool
) -> None:
    size = math.prod(shape)
    content = data.draw(st.binary(min_size=size, max_size=size))
    whole = idx(shape, content)
    (tmp_path / "x").write_bytes(gzip.compress(whole, 1) if packed else whole)
    array = read_idx(tmp_path / "x")
    assert (array.shape, array.tobytes()) == (shape, content)


IDX_CONTENTS = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=60).map(lambda rest: b"\0\0\x08" + rest),
    changed(idx((2, 3, 4), bytes(range(24)))),
    changed(gzip.compress(idx((2, 3, 4), bytes(range(24))), mtime=0)),
    st.builds(lambda shape, rest: idx(tuple(shape), rest), st.lists(st.integers(0, 2**32 - 1), max_size=9), st.binary(max_size=9)),
)


@given(IDX_CONTENTS)
@settings(max_examples=300)
@example(idx((0,) + (2**32 - 1,) * 8, b""))
@example(idx((1,) * 255, b"\7"))
def test_any_bytes_are_an_idx_file_that_matches_its_header_or_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    try:
        array = read_idx(tmp_path / "x")
    except DataError:
        return
    whole = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    assert whole == idx(array.shape, array.tobytes())


@given(IDX_CONTENTS)
def test_any_bytes_as_images_in_an_idx_file_are_bytes_or_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    try:
        assert IdxFile(str(tmp_path / "x")).load(8).items.shape[2:] == (8, 8)
    except DataError:
        return


@given(SHAPES | st.just(()), KINDS, st.booleans(), st.booleans())
@settings(max_examples=200)
def test_any_array_is_read_as_numpy_reads_it(
    tmp_path: Path, shape: tuple[int, ...], kind: str, columns: bool, packed: bool
) -> None:
    size = math.prod(shape) * np.dtype(kind).itemsize
    array = np.frombuffer(bytes(np.random.default_rng(0).integers(0, 99, size, dtype=np.uint8)), kind)
    array = array.reshape(shape, order="F" if columns else "C")
    path = tmp_path / ("x.npz" if packed else "x.npy")
    np.savez_compressed(path, x=array) if packed else np.save(path, array)
    mine, labels = read_arrays(path)
    assert labels is None
    assert (mine.shape, mine.dtype) == (array.shape, array.dtype)
    assert mine.tobytes() == array.tobytes()


def array_file(**arrays: Any) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays) if len(arrays) > 1 else np.save(content, next(iter(arrays.values())))
    return content.getvalue()


HEADERS = st.one_of(
    st.text(max_size=60),
    st.builds(
        "{{'descr': {!r}, 'fortran_order': {}, 'shape': {}, }}".format,
        st.one_of(
            KINDS, st.sampled_from(["|O", "|V0", "<U0", "<m8", "|V9999999999", [("a", "|O")], [("a", "<f4")]]), st.text(max_size=5)
        ),
        st.sampled_from([True, False, 1, None]),
        st.one_of(SHAPES, st.lists(st.integers(-9, 2**70), max_size=70).map(tuple), st.just([3, 4]), st.just((True, 2))),
    ),
)


@given(HEADERS, st.binary(max_size=40), st.sampled_from([(1, 0), (2, 0), (3, 0), (9, 9)]))
@settings(max_examples=300)
@example("{'descr': '|u1', 'fortran_order': False, 'shape': (2L, '\\d'), }", b"", (1, 0))
@example("{'descr': '|u1', 'fortran_order': False, 'shape': (" + "1, " * 70 + "), }", b"1", (1, 0))
@example("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 9223372036854775808, 9), }", b"", (1, 0))
def test_any_header_of_an_array_is_refused_or_read(tmp_path: Path, header: str, rest: bytes, version: tuple[int, int]) -> None:
    text = header.encode("utf-8", "replace")
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY" + bytes(version) + length + text + rest)
    loads_or_is_refused(tmp_path / "x.npy")


@given(
    st.one_of(
        changed(array_file(x=PIXELS.reshape(2, 9, 9))),
        changed(array_file(x=np.linspace(-1, 1, 24).reshape(2, 3, 4))),
        changed(array_file(x=PIXELS.reshape(2, 9, 9), labels=np.array([0, 1]))),
        st.binary(max_size=99),
    )
)
@settings(max_examples=400)
def test_a_changed_array_file_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    loads_or_is_refused(tmp_path / "x.npz")


def loads_or_is_refused(path: Path) -> None:
    try:
        data = ArrayFile(str(path)).load(None)
    except DataError:
        return
    assert data.items.dtype in (torch.uint8, torch.float32)
    assert data.items.numel() > 0


@given(
    st.one_of(
        *(changed(saved(kind)) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")),
        changed(saved("PNG", exif=exif())),
        changed(saved("JPEG", exif=exif(), progressive=True)),
        changed(saved("TIFF", compression="tiff_lzw")),
        st.binary(max_size=99),
    )
)
@settings(max_examples=600)
def test_a_changed_image_is_read_at_its_size_or_skipped_with_a_reason(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "good.png").write_bytes(saved("PNG"))
    (tmp_path / "x.png").write_bytes(content)
    data = Folder(str(tmp_path)).load(5)
    assert data.items.dtype == torch.uint8
    assert data.items.shape == (2 - len(data.skipped), 3, 5, 5)
    assert all(line.startswith("x.png: ") and len(line) > 9 and line.isprintable() for line in data.skipped)


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a/1.png", "b/2.png"):
            archive.writestr(zipfile.ZipInfo(name), saved("BMP"), zipfile.ZIP_DEFLATED)
    return content.getvalue()


@given(st.one_of(changed(zipped()), st.binary(max_size=99)))
@settings(max_examples=300)
@pytest.mark.filterwarnings("error")
def test_a_changed_archive_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    try:
        data = Archive(str(tmp_path / "x.zip")).load(5)
    except DataError:
        return
    assert data.items.shape == (len(data.names), 3, 5, 5)
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5, unique=True))
@example(["/", "..", "C:", "\\", ".", "a/../b", "a\0b", "a\nb"])
def test_members_of_any_name_are_read_or_skipped(tmp_path: Path, names: list[str]) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name.encode("utf-8", "replace").decode() + ".png"), saved("BMP"))
    try:
        data = Archive(str(tmp_path / "x.zip")).load(5)
    except DataError:
        return
    assert len(data) + len(data.skipped) <= len(names)
    assert all(name.isprintable() for name in (*data.names, *data.skipped))
