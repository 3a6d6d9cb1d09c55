"""A zip file of images, read as a folder would be."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mulligan.data import Archive, Folder
from mulligan.errors import DataError

RNG = np.random.default_rng(0)


def picture() -> bytes:
    content = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (12, 20, 3), dtype=np.uint8)).save(content, "PNG")
    return content.getvalue()


def pack(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Archive:
    with zipfile.ZipFile(path / "x.zip", "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return Archive(str(path / "x.zip"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_is_read_as_the_folder_it_was_made_from(method: int, tmp_path: Path) -> None:
    names = ["b/2.png", "a/1.png", "a b/deeper/图.png", "b/bad.png", "b/10.PNG", "notes.txt"]
    members = {name: b"" if "bad" in name else picture() for name in names}
    for name, content in members.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(content)
    packed, plain = pack(tmp_path, members, method).load(16), Folder(str(tmp_path / "folder")).load(16)
    assert packed.items.equal(plain.items)
    assert packed.labels is not None
    assert plain.labels is not None
    assert packed.labels.tolist() == plain.labels.tolist() == [0, 1, 2, 2]
    assert packed.label_names == plain.label_names == ("a", "a b", "b")
    assert packed.names == plain.names == ("a/1.png", "a b/deeper/图.png", "b/10.PNG", "b/2.png")
    assert packed.skipped == plain.skipped == ("b/bad.png: it is empty",)
    assert (packed.sizes, packed.modes) == (plain.sizes, plain.modes) == ({"20x12": 4}, {"RGB": 4})


def test_what_a_mac_or_an_editor_hid_is_passed_over(tmp_path: Path) -> None:
    members = {
        "a.png": picture(),
        "__MACOSX/._a.png": b"?",
        "__MACOSX/a.png": b"?",
        ".thumbnails/a.png": b"?",
        "b/.c.png": b"?",
        "folder.png/": b"",
    }
    data = pack(tmp_path, members).load(8)
    assert data.names == ("a.png",)
    assert data.skipped == ()


def test_names_written_on_windows_are_folders_too(tmp_path: Path) -> None:
    data = pack(tmp_path, {"cats\\1.png": picture(), "dogs\\1.png": picture()}).load(8)
    assert data.label_names == ("cats", "dogs")


def test_encrypted_members_are_skipped_and_never_asked_about(tmp_path: Path) -> None:
    pack(tmp_path, {"a.png": picture(), "b.png": picture()})
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    data = Archive(str(tmp_path / "x.zip")).load(8)
    assert data.skipped == ("a.png: it is encrypted; pack it again without a password",)
    assert data.names == ("b.png",)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_unpack_without_bounds_are_skipped(method: int, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        pack(tmp_path, {"a.png": picture()}, method).load(8)
    assert str(caught.value) == (
        f"data={tmp_path}/x.zip holds 1 image files and none can be read; the first: "
        "a.png: it is packed in a way that cannot be unpacked within bounds; pack it again with deflate"
    )


def test_an_archive_without_images_says_what_to_put_there(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        pack(tmp_path, {"notes.txt": b""}).load(8)
    assert str(caught.value).startswith(f"data={tmp_path}/x.zip holds no images; put .bmp, .gif, .jpeg, ")


def test_a_broken_archive_says_what_to_do(tmp_path: Path) -> None:
    pack(tmp_path, {"a.png": picture()})
    (tmp_path / "x.zip").write_bytes((tmp_path / "x.zip").read_bytes()[:-9])
    with pytest.raises(DataError) as caught:
        Archive(str(tmp_path / "x.zip")).load(8)
    assert str(caught.value) == f"data={tmp_path}/x.zip cannot be read as a zip file: File is not a zip file; pack it again"


def test_a_missing_archive_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        Archive(str(tmp_path / "no.zip")).load(8)
    assert str(caught.value) == (
        f"data={tmp_path}/no.zip cannot be read: No such file or directory; check the file or choose other data"
    )
