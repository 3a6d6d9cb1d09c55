"""Files that mean harm: nothing crashes, nothing runs, nothing lands anywhere, memory stays bounded, and every one is named."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from data import hostile

from mulligan.data import Archive, ArrayFile, Folder, IdxFile, source_from
from mulligan.errors import DataError


def names(lines: tuple[str, ...]) -> set[str]:
    return {line.split(": ")[0] for line in lines}


def test_a_folder_of_bad_files_gives_its_good_ones_and_names_the_others(tmp_path: Path) -> None:
    good, bad = hostile.fill(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = Folder(str(tmp_path)).load(16)
    assert set(data.names) == {name.replace("\n", "\\n") for name in good}
    assert names(data.skipped) == bad
    reasons = {line.split(": ")[0]: line.split(": ", 1)[1] for line in data.skipped}
    assert reasons["bomb.bmp"] == "it is 30000 x 30000 and would take 2,574 MiB, more than 128; make it smaller" or (
        "decompression bomb" in reasons["bomb.bmp"]
    )
    assert reasons["big.png"] == "it is 8000 x 8000 and would take 183 MiB, more than 128; make it smaller"
    assert reasons["empty.png"] == "it is empty"
    assert reasons["text.png"] == "it is no image, or of a kind that Pillow does not know"
    assert data.sizes["7500x7500"] == 1
    assert {"CMYK", "P", "I;16", "F", "RGB"} <= set(data.modes)


@pytest.mark.parametrize("kind", ["a file", "a folder"])
def test_what_may_not_be_read_is_named(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Emulated, because whoever may do everything is refused nothing."""
    for name in ("open/good.png", "shut/bad.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(hostile.encoded("PNG"))
    opened, scanned = open, __import__("os").scandir

    def refuse(path: object, *arguments: object, **options: object) -> object:
        if kind == "a file" and str(path).endswith("bad.png"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)  # type: ignore[call-overload]

    def refuse_folder(path: object) -> object:
        if kind == "a folder" and str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scanned(path)

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("os.scandir", refuse_folder)
    data = Folder(str(tmp_path)).load(8)
    assert data.names == ("open/good.png",)
    (line,) = data.skipped
    assert line.startswith("shut/")
    assert "Permission denied" in line


def test_a_zip_is_read_in_place_and_what_leads_out_of_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "inner" / "deeper" / "x.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(hostile.wrong_zip())
    before = set(tmp_path.rglob("*"))
    data = Archive(str(path)).load(8)
    assert data.names == ("good.png",)
    assert names(data.skipped) == {
        *("../../evil.png", "/tmp/absolute.png", "C:/windows.png"),
        *("bomb.png", "pixels.png", "cut.jpg", "empty.png"),
    }
    assert sum("its name leads out of the archive" in line for line in data.skipped) == 3
    assert set(tmp_path.rglob("*")) == before
    assert not Path("/tmp/absolute.png").exists()


@pytest.mark.parametrize("name", hostile.wrong_arrays(Path("x")))
def test_an_array_that_lies_is_refused_in_one_line_and_nothing_in_it_runs(name: str, tmp_path: Path) -> None:
    target = tmp_path / "exploded"
    path = tmp_path / name
    path.write_bytes(hostile.wrong_arrays(target)[name]())
    source = IdxFile(str(path)) if path.suffix in (".idx", ".gz") else ArrayFile(str(path))
    with pytest.raises(DataError) as caught:
        source.load(8)
    assert str(path) in str(caught.value)
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"PK\x03\x04 broken", "cannot be read as a zip file: "), (b"", "cannot be read as a zip file: ")],
)
def test_a_broken_zip_says_so(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(DataError, match=message):
        source_from(str(tmp_path / "x.zip")).load(8)


MEASURE = """
import re, sys
from pathlib import Path
from mulligan.data import Archive, ArrayFile, Folder, IdxFile
from mulligan.errors import DataError
place = Path(sys.argv[1])
def peak():  # not getrusage: that remembers the parent's
    return int(re.search("VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
Folder(str(place / "good")).load(16)
before = peak()
Folder(str(place / "bad")).load(16)
Archive(str(place / "x.zip")).load(16)
for path in sorted((place / "arrays").iterdir()):
    try:
        (IdxFile if path.suffix in (".idx", ".gz") else ArrayFile)(str(path)).load(16)
    except DataError:
        pass
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its peak")
def test_the_whole_corpus_takes_less_than_200_megabytes(tmp_path: Path) -> None:
    for name in ("good", "bad", "arrays"):
        (tmp_path / name).mkdir()
    (tmp_path / "good" / "x.png").write_bytes(hostile.encoded("PNG"))
    hostile.fill(tmp_path / "bad")
    (tmp_path / "x.zip").write_bytes(hostile.wrong_zip())
    for name, content in hostile.wrong_arrays(tmp_path / "exploded").items():
        (tmp_path / "arrays" / name).write_bytes(content())
    done = subprocess.run([sys.executable, "-c", MEASURE, str(tmp_path)], capture_output=True, text=True, check=True)
    assert 5 < float(done.stdout) < 200  # more than nothing: the one large JPEG is decoded at a quarter
