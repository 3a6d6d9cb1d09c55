"""Zips of images, as people make them."""

import io
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from mulligan.data import Archive, Folder, source_from
from mulligan.errors import DataError


def png(level: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (12, 10), (level, level, level)).save(file, "PNG")
    return file.getvalue()


def make(path: Path, members: dict[str, bytes]) -> Archive:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return Archive(str(path))


MEMBERS = {"ant/1.png": png(10), "bee/deeper/2.png": png(20), "ant/3 三.PNG": png(30), "bee/notes.txt": b"", "bee/.hidden.png": b""}


def test_a_zip_is_what_its_folder_would_be(tmp_path: Path) -> None:
    packed = make(tmp_path / "x.zip", MEMBERS).load(8)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        archive.extractall(tmp_path / "x", [name for name in MEMBERS if ".hidden" not in name])
    unpacked = Folder(str(tmp_path / "x")).load(8)
    assert packed.names == unpacked.names
    assert torch.equal(packed.items, unpacked.items)
    assert packed.labels is not None and unpacked.labels is not None
    assert torch.equal(packed.labels, unpacked.labels)
    assert packed.label_names == ("ant", "bee")


def test_a_zip_is_known_by_its_ending_or_its_content(tmp_path: Path) -> None:
    make(tmp_path / "x.zip", MEMBERS)
    (tmp_path / "pictures").write_bytes((tmp_path / "x.zip").read_bytes())
    assert source_from(str(tmp_path / "x.zip")) == Archive(str(tmp_path / "x.zip"))
    assert source_from(str(tmp_path / "pictures")) == Archive(str(tmp_path / "pictures"))


def test_a_zip_without_images_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.zip holds no images; put \.bmp, "):
        make(tmp_path / "x.zip", {"notes.txt": b"x"}).load(8)


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    make(tmp_path / "x.zip", {"a.png": png(1), "b.png": png(2)})
    content = bytearray((tmp_path / "x.zip").read_bytes())
    entry = content.rindex(b"PK\x01\x02")  # of b.png in the directory; its flags stand eight bytes in
    content[entry + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    data = Archive(str(tmp_path / "x.zip")).load(8)
    assert data.names == ("a.png",)
    assert data.skipped == ("b.png: it is encrypted",)


def test_a_missing_zip_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read as a zip file: .*No such file"):
        Archive(str(tmp_path / "no.zip")).load(8)
