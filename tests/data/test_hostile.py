"""A corpus of bad files: nothing crashes, nothing is unpacked or run, no warning escapes, and each is listed with its reason."""

import gzip
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mulligan.data import Folder, source_from
from mulligan.data.bounds import MOST_PIXELS
from mulligan.data.image_files import pillow_in_bounds, reduce_jpeg
from mulligan.errors import DataError

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8))
HUGE = 30_000  # on a side: 900 megapixels
READ = ""  # instead of a reason: the file is good enough


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG file of any claims."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *(chunk(data[:4], data[4:]) for data in more), chunk(b"IDAT", zlib.compress(rows))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def huge_gif(disposal: int, side: int = HUGE) -> bytes:
    sizes = struct.pack("<HH", side, side)
    control = b"!\xf9\x04" + bytes([disposal << 2, 0, 0, 0, 0])
    return b"GIF89a" + sizes + b"\x80\0\0" + bytes(6) + control + b",\0\0\0\0" + sizes + b"\0\x02\x02L\x01\0;"


def huge_bmp() -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 58, 0, 0, 54, 40, HUGE, HUGE, 1, 24, 0, 4, 0, 0, 0, 0) + bytes(4)


def huge_tiff(*, tiles: bool = False) -> bytes:
    """Uncompressed grey; with `tiles` a small picture in one huge tile."""
    sides = {256: 16, 257: 16, 322: HUGE, 323: HUGE, 324: 8, 325: 8} if tiles else {256: HUGE, 257: HUGE, 273: 8, 278: HUGE, 279: 8}
    entries = dict(sorted((sides | {258: 8, 259: 8, 262: 1, 277: 1}).items()))
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + table + bytes(4)


def jpeg_claiming(width: int, height: int, **options: Any) -> bytes:
    """A JPEG whose frame header was changed."""
    content = bytearray(saved(NOISE, "JPEG", **options))
    frame = content.index(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def first_scan_of_one_component(content: bytes) -> bytes:
    """As when each component has a scan of its own: the decoder then keeps all of them in memory."""
    scan = content.index(b"\xff\xda")
    return content[:scan] + b"\xff\xda\0\x08\x01\x01\x00\x00\x3f\x00" + content[scan + 14 :]


def frames(kind: str) -> bytes:
    return saved(NOISE, kind, save_all=True, append_images=[Image.new("RGB", NOISE.size)], lossless=True)


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(NOISE, "JPEG", exif=exif)


DEEP = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 80
CORRUPT = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x07\0\xff\xff\xff\xff" * 9
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(ran) print\n%%EOF\n"

FILES: dict[str, tuple[bytes, str]] = {
    "cut.jpg": (saved(NOISE, "JPEG")[:-300], "truncated"),
    "cut.png": (saved(NOISE, "PNG")[:-300], "truncated"),
    "empty.png": (b"", "it is empty"),
    "text.png": (b"not a picture", "it is no image in one of the formats PNG, JPEG, WEBP, BMP, TIFF, GIF"),
    "program.png": (EPS, "it is no image in one of the formats PNG, JPEG, WEBP, BMP, TIFF, GIF"),
    "bomb.png": (png(HUGE, HUGE, 8, 2, bytes(1000)), "its header claims more than 33,554,432 pixels; make it smaller"),
    "bomb.gif": (huge_gif(0), "its header claims more than 33,554,432 pixels; make it smaller"),
    "bomb that clears.gif": (huge_gif(2, 13_000), "its header claims more than 33,554,432 pixels; make it smaller"),
    "bomb.bmp": (huge_bmp(), "its header claims more than 33,554,432 pixels; make it smaller"),
    "bomb.tif": (huge_tiff(), "its header claims more than 33,554,432 pixels; make it smaller"),
    "bomb in a tile.tif": (huge_tiff(tiles=True), "its header claims 30000 x 30000 pixels"),
    "bomb, progressive.jpg": (jpeg_claiming(HUGE, HUGE, progressive=True), "its header claims 30000 x 30000 pixels, and up to "),
    "bomb in scans.jpg": (
        first_scan_of_one_component(jpeg_claiming(HUGE, HUGE)),
        "its header claims 30000 x 30000 pixels, and up to ",
    ),
    "text bomb.png": (png(8, 8, 8, 0, bytes(72), b"zTXta\0\0" + zlib.compress(bytes(9 << 20))), "ecompressed data"),
    "cmyk.jpg": (saved(NOISE.convert("CMYK"), "JPEG"), READ),
    "palette.png": (saved(NOISE.convert("P"), "PNG"), READ),
    "palette, transparent.png": (saved(NOISE.convert("P"), "PNG", transparency=bytes(range(200))), READ),
    "grey of 16 bits.png": (saved(Image.fromarray(DEEP), "PNG"), READ),
    "floats.tif": (saved(Image.fromarray(DEEP.astype(np.float32)), "TIFF"), READ),
    "floats that are none.tif": (saved(Image.fromarray(np.full((8, 8), np.nan, np.float32)), "TIFF"), "no finite numbers"),
    "colour of 16 bits.png": (png(4, 4, 16, 2, (b"\0" + bytes(24)) * 4), READ),
    "frames.gif": (frames("GIF"), READ),
    "frames.webp": (frames("WEBP"), READ),
    "frames.png": (frames("PNG"), READ),
    "turned.jpg": (turned(), READ),
    "corrupt exif.jpg": (
        saved(NOISE, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x07\0\xff\xff\xff\xff" * 9),
        READ,
    ),
    "exif that is none.png": (png(4, 4, 8, 0, bytes(20), b"eXIfXX*\0\x08\0\0\0"), READ),
    "corrupt exif.png": (png(4, 4, 8, 0, bytes(20), b"eXIfMM\0*\xff\xff\xff\xff\x12"), READ),
    "a name with spaces.png": (saved(NOISE, "PNG"), READ),
    "名字 图片.png": (saved(NOISE, "PNG"), READ),
    "two\nlines.png": (saved(NOISE, "PNG"), READ),
    "two\nbad lines.png": (b"", "it is empty"),
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """The files, and what is none: pipes, links in circles, folders with an image's name."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, (content, _) in FILES.items():
        (folder / name).write_bytes(content)
    (folder / "folder.png").mkdir()
    (folder / "pipe.png").unlink(missing_ok=True)
    os.mkfifo(folder / "pipe.png")
    (folder / "circle.png").symlink_to(folder / "circle.png")
    (folder / "nowhere.png").symlink_to(folder / "no such file")
    (folder / "circle").symlink_to(folder, target_is_directory=True)
    return folder


NO_FILES = {
    "pipe.png": "it is no regular file",
    "circle.png": "Too many levels of symbolic links",
    "nowhere.png": "No such file or directory",
    "circle": "it is a link to a folder, and those are not followed",
}


def expected_reasons() -> dict[str, str]:
    """Of all that must be skipped, by the name that is printed."""
    return {name.replace("\n", "\\n"): reason for name, (_, reason) in FILES.items() if reason} | NO_FILES


def test_every_bad_file_is_skipped_with_its_reason_and_every_odd_one_is_read(corpus: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    data = Folder(str(corpus)).load(16)
    found = dict(line.split(": ", 1) for line in data.skipped)
    expected = expected_reasons()
    assert found.keys() == expected.keys()
    assert {name for name in expected if expected[name] not in found[name]} == set()
    assert all(line.isprintable() for line in data.skipped)
    assert set(data.names) == {name.replace("\n", "\\n") for name, (_, reason) in FILES.items() if reason == READ}
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("name", ["frames.gif", "frames.webp", "frames.png"])
def test_of_an_animation_the_first_picture_is_taken(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name][0])
    assert Folder(str(tmp_path)).load(16).items.float().std() > 20  # the second is black


def test_colour_of_sixteen_bits_keeps_the_upper_eight(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + b"\x12\x34\x56\x78\x9a\xbc" * 4 for _ in range(4))
    (tmp_path / "x.png").write_bytes(png(4, 4, 16, 2, rows))
    assert Folder(str(tmp_path)).load(4).items[0, :, 0, 0].tolist() == [0x12, 0x56, 0x9A]


def test_a_damaged_exif_block_does_not_cost_the_picture(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(FILES["corrupt exif.jpg"][0])
    (tmp_path / "b.jpg").write_bytes(saved(NOISE, "JPEG"))
    first, second = Folder(str(tmp_path)).load(16).items
    assert first.equal(second)


@pytest.mark.parametrize(("width", "height"), [(5793, 5793), (12_000, 12_000), (20_000, 19_999), (46_000, 46_000)])
def test_a_jpeg_is_decoded_at_the_first_scale_within_bounds(width: int, height: int) -> None:
    file = io.BytesIO(jpeg_claiming(width, height))
    with pillow_in_bounds(64 * MOST_PIXELS), Image.open(file) as image:
        reduce_jpeg(image, file)
        assert image.width * image.height <= MOST_PIXELS < 4 * image.width * image.height + 4 * width
        assert image.width / width == pytest.approx(image.height / height, rel=0.001)


def test_a_jpeg_above_the_bound_is_decoded_smaller(tmp_path: Path) -> None:
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 6000).astype(np.uint8), (5700, 1)))
    ramp.save(tmp_path / "large.jpg")
    ramp.crop((150, 0, 5850, 5700)).resize((16, 16), Image.Resampling.BOX).save(tmp_path / "small.png")
    data = Folder(str(tmp_path)).load(16)
    assert data.sizes == {"6000x5700": 1, "16x16": 1}
    assert (data.items[0].int() - data.items[1].int()).abs().max() <= 2


def test_a_progressive_jpeg_above_the_bound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg_claiming(6000, 6000, progressive=True))
    with pytest.raises(DataError, match=r"its header claims 6000 x 6000 pixels, and up to 33,554,432 are read; make it smaller"):
        Folder(str(tmp_path)).load(16)


def test_a_file_that_may_not_be_opened_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("good.png", "secret.png"):
        (tmp_path / name).write_bytes(saved(NOISE, "PNG"))
    really = Path.open

    def guarded(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "secret.png":
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", guarded)
    assert Folder(str(tmp_path)).load(8).skipped == ("secret.png: Permission denied",)


def test_a_folder_that_may_not_be_looked_into_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good.png").write_bytes(saved(NOISE, "PNG"))
    (tmp_path / "secret").mkdir()
    really = os.scandir

    def guarded(path: Any) -> Any:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return really(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert Folder(str(tmp_path)).load(8).skipped == ("secret: Permission denied",)


def test_a_file_too_long_for_an_image_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "good.png").write_bytes(saved(NOISE, "PNG"))
    with (tmp_path / "long.png").open("wb") as file:
        file.truncate(1 << 40)  # without a byte on the disk
    assert Folder(str(tmp_path)).load(8).skipped == ("long.png: it has 1,099,511,627,776 bytes, and up to 134,217,728 are read",)


def npy_header(shape: str, kind: str) -> bytes:
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text


def zipped(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return content.getvalue()


def claiming(content: bytes, size: int) -> bytes:
    """The zip file with another unpacked size for its first member, in both of its headers."""
    changed, entry = bytearray(content), content.index(b"PK\x01\x02")
    changed[22:26] = changed[entry + 24 : entry + 28] = struct.pack("<I", size)
    return bytes(changed)


IDX = b"\0\0\x08\x03" + struct.pack(">III", 1 << 14, 1 << 13, 1 << 13)  # a tebibyte
ARRAYS: dict[str, tuple[Callable[[], bytes], str]] = {
    "tebibyte.idx": (lambda: IDX + bytes(99), "but it claims 1,099,511,627,776 bytes, and no more than 4,294,967,296 are read"),
    "tebibyte.idx.gz": (lambda: gzip.compress(IDX + bytes(99)), "but it claims 1,099,511,627,776 bytes"),
    "gigabytes.idx.gz": (
        lambda: gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 3 << 30) + bytes(99)),
        "but it claims to swell from ",
    ),
    "bomb.idx.gz": (
        lambda: gzip.compress(b"\0\0\x08\x03" + struct.pack(">III", 1, 2, 2) + bytes(300 << 20), 1),
        "its header promises 1 x 2 x 2 bytes and more follow; copy it again",
    ),
    "dimensions.idx": (lambda: b"\0\0\x08\xff" + b"\0\0\0\x01" * 255 + b"\x07", "is a damaged IDX file"),
    "terabytes.npy": (
        lambda: npy_header("(1099511627776, 2, 2)", "|u1") + bytes(99),
        "its header promises 4,398,046,511,104 bytes",
    ),
    "negative.npy": (lambda: npy_header("(-3, 2, -2)", "|u1") + bytes(99), "its header is damaged: shape (-3, 2, -2) of uint8"),
    "objects.npy": (lambda: npy_header("(1,)", "|O") + bytes(99), "it holds Python objects, which are never unpacked"),
    "empty records.npy": (lambda: npy_header("(4611686018427387904,)", "|V0"), "its header is damaged"),
    "long records.npy": (lambda: npy_header("(1, 1, 1)", "|V2000000000"), "its header promises 2,000,000,000 bytes"),
    "warning.npy": (lambda: npy_header(r"('\d', 2L)", "|u1"), "cannot be read as a NumPy file"),
    "deep.npy": (lambda: npy_header("(" * 5000, "|u1"), "cannot be read as a NumPy file"),
    "objects.npz": (lambda: zipped({"x.npy": npy_header("(1,)", "|O") + bytes(99)}), "it holds Python objects"),
    "bomb.npz": (
        lambda: claiming(zipped({"x.npy": npy_header("(3000000000,)", "|u1") + bytes(2 << 20)}), 3_000_000_200),
        "it claims to swell from ",
    ),
    "liar.npz": (
        lambda: claiming(zipped({"x.npy": npy_header("(10, 5, 5)", "|u1") + bytes(300 << 20)}), 400),
        "cannot be read as a NumPy file: Bad CRC-32",
    ),
    "no array.npz": (lambda: zipped({"x": b"plain text"}), "cannot be read as a NumPy file"),
    "bzip2.npz": (
        lambda: zipped({"x.npy": npy_header("(10,)", "|u1") + bytes(9 << 20)}, method=zipfile.ZIP_BZIP2),
        "it is packed in a way that cannot be unpacked within bounds",
    ),
}


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.idx", "x.zip"])
def test_a_pipe_is_no_data_and_is_not_waited_for(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match=r"it is no regular file|does not exist and is no known name"):
        source_from(str(tmp_path / name)).load(None)


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arrays")
    for name, (content, _) in ARRAYS.items():
        (folder / name).write_bytes(content())
    return folder


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_that_lies_is_refused_in_one_line(name: str, arrays: Path) -> None:
    with pytest.raises(DataError) as caught:
        source_from(str(arrays / name)).load(None)
    assert ARRAYS[name][1] in str(caught.value)
    assert str(caught.value).startswith(f"data={arrays / name} ")


def members() -> dict[str, bytes]:
    """The corpus of images, and members that only a zip file can have."""
    good = saved(NOISE, "PNG")
    names = {f"corpus/{name}": content for name, (content, _) in FILES.items()}
    return names | {"../up.png": good, "/etc/absolute.png": good, "C:/x.png": good, "inner.zip": zipped({"a.png": good})}


def test_the_corpus_in_a_zip_file_comes_out_the_same(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(zipped(members()))
    before = sorted(tmp_path.rglob("*"))
    data = source_from(str(tmp_path / "x.zip")).load(16)
    expected = {f"corpus/{name}": reason for name, reason in expected_reasons().items() if name not in NO_FILES}
    expected |= dict.fromkeys(("../up.png", "/etc/absolute.png", "C:/x.png"), "its name leads out of the archive")
    expected["inner.zip"] = "it is an archive inside the archive"
    found = dict(line.split(": ", 1) for line in data.skipped)
    assert found.keys() == expected.keys()
    assert {name for name in expected if expected[name] not in found[name]} == set()
    assert sorted(tmp_path.rglob("*")) == before


MEASURE = """
import json, resource, sys, warnings
from mulligan.data import source_from
from mulligan.errors import DataError
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
warnings.simplefilter("always")  # onto the error stream, which must stay empty
source_from(sys.argv[1]).load(16)
baseline, refused = peak(), 0
for place in sys.argv[2:]:
    try:
        source_from(place).load(16)
    except DataError:
        refused += 1
print(json.dumps([baseline, peak() - baseline, refused]))
"""


def test_the_whole_corpus_takes_less_than_200_megabytes(corpus: Path, arrays: Path, tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    for name in ("a.jpg", "b.png", "c.tif", "d.gif", "e.webp"):
        NOISE.save(tmp_path / "good" / name)
    (corpus / "bomb that can be decoded.jpg").write_bytes(jpeg_claiming(HUGE, HUGE))
    bombs = {"claims.png": bytes(2 << 20), "swells.png": bytes(130 << 20), "lies.png": bytes(120 << 20)}
    (tmp_path / "bombs.zip").write_bytes(zipped(bombs | {"good.png": saved(NOISE, "PNG")}))
    (tmp_path / "liar.zip").write_bytes(claiming(zipped({"a.png": bytes(300 << 20)}), 1000))
    (tmp_path / "x.zip").write_bytes(zipped(members()))
    places = [corpus, tmp_path / "bombs.zip", tmp_path / "liar.zip", tmp_path / "x.zip", *(arrays / name for name in ARRAYS)]
    apart = ["sh", "-c", '"$@"; exit $?', "sh"]  # a process begins with the peak of the one that started it
    words = [*apart, sys.executable, "-c", MEASURE, str(tmp_path / "good"), *map(str, places)]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    _, rise, refused = json.loads(result.stdout)
    assert refused == len(ARRAYS) + 1
    assert rise < 200
