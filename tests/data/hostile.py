"""A corpus of files that mean harm or are merely broken, made on the spot. Used by the tests beside it."""

import gzip
import io
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

NOISE = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)


def encoded(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    """A picture's file."""
    file = io.BytesIO()
    (image or Image.fromarray(NOISE)).save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_bomb(side: int = 30_000) -> bytes:
    """A few kilobytes that claim 900 megapixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1 << 20), 9)) + chunk(b"IEND", b"")


def bmp_bomb(side: int = 30_000) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)


def gif_bomb() -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0)
        + b","
        + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0)
        + b"\x02\x00;"
    )


def jpeg_with_broken_exif() -> bytes:
    return encoded("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x02\x01\x12\0\x03\xff\xff\xff\xff\0\x06" + bytes(range(200)))


def animated(kind: str) -> bytes:
    frames = [Image.fromarray(np.roll(NOISE, step, 0)) for step in range(3)]
    return encoded(kind, frames[0], save_all=True, append_images=frames[1:])


GOOD: dict[str, Callable[[], bytes]] = {
    "cmyk.jpg": lambda: encoded("JPEG", Image.fromarray(NOISE).convert("CMYK")),
    "palette.png": lambda: encoded("PNG", Image.fromarray(NOISE).convert("P")),
    "palette transparent.png": lambda: encoded("PNG", Image.fromarray(NOISE).convert("P"), transparency=bytes([0, 128])),
    "sixteen.png": lambda: encoded("PNG", Image.fromarray(NOISE[..., 0].astype(np.uint16) * 257)),
    "float.tif": lambda: encoded("TIFF", Image.fromarray(NOISE[..., 0].astype(np.float32) / 255)),
    "animated.gif": lambda: animated("GIF"),
    "animated.webp": lambda: animated("WEBP"),
    "animated.png": lambda: animated("PNG"),
    "turned.jpg": lambda: encoded("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"),
    "broken exif.jpg": jpeg_with_broken_exif,
    "图片 一.png": lambda: encoded("PNG"),
    "a name with  spaces.png": lambda: encoded("PNG"),
    "two\nlines.png": lambda: encoded("PNG"),
    "big.jpg": lambda: encoded("JPEG", Image.new("RGB", (7_500, 7_500), (200, 100, 50))),  # 161 MiB: decoded at a smaller scale
}
BAD: dict[str, Callable[[], bytes]] = {
    "cut.jpg": lambda: encoded("JPEG")[:-300],
    "cut.png": lambda: encoded("PNG")[:-300],
    "empty.png": lambda: b"",
    "text.png": lambda: b"I am no picture, whatever my name says.",
    "bomb.png": png_bomb,
    "bomb.bmp": bmp_bomb,
    "bomb.gif": gif_bomb,
    "big.png": lambda: png_bomb(8_000),  # 183 MiB, below Pillow's own limit
}


def fill(folder: Path) -> tuple[set[str], set[str]]:
    """Write the corpus; the names of what can be read and of what cannot, as a folder source sees them."""
    for name, make in (GOOD | BAD).items():
        (folder / name).write_bytes(make())
    bad = set(BAD)
    if hasattr(os, "symlink"):
        (folder / "circle.png").symlink_to(folder / "circle.png")
        (folder / "nowhere.png").symlink_to(folder / "gone.png")
        (folder / "loop").mkdir()
        (folder / "loop" / "back").symlink_to(folder, target_is_directory=True)
        bad |= {"circle.png", "nowhere.png"}
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.png")
        bad.add("pipe.png")
    (folder / "folder.png").mkdir()  # not a file, and not counted as one
    return set(GOOD), bad


class Exploding:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, target: Path):
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


def wrong_arrays(target: Path) -> dict[str, Callable[[], bytes]]:
    """NumPy and IDX files that lie, by name; unpickling one would touch `target`."""

    def npy(header: str, content: bytes = b"") -> bytes:
        padded = header.encode() + b" " * (117 - len(header) % 64) + b"\n"
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded + content

    def npz(**members: bytes) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(f"{name}.npy", content)
        return file.getvalue()

    objects = io.BytesIO()
    np.save(objects, np.array([Exploding(target)], dtype=object), allow_pickle=True)
    zeros = "{'descr': '|u1', 'fortran_order': False, 'shape': (200000, 1024), }"
    return {
        "terabytes.npy": lambda: npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1024, 1024), }"),
        "negative.npy": lambda: npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-3, 8, 8), }", bytes(64)),
        "overflow.npy": lambda: npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296, 2), }"),
        "code.npy": lambda: npy("{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (1,), }"),
        "cut.npy": lambda: npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3, 8, 8), }", bytes(10)),
        "objects.npy": lambda: objects.getvalue(),
        "objects.npz": lambda: npz(samples=objects.getvalue()),
        "pickle.npz": lambda: npz(samples=pickle.dumps(Exploding(target))),
        "bare pickle.npy": lambda: pickle.dumps(Exploding(target)),
        "bomb.npz": lambda: npz(samples=npy(zeros, bytes(200_000 * 1024))),
        "wrong size.idx": lambda: b"\0\0\x08\x03" + struct.pack(">III", 1 << 31, 1 << 20, 4) + bytes(100),
        "gzip bomb.gz": lambda: gzip.compress(b"\0\0\x08\x03" + struct.pack(">III", 200_000, 32, 32) + bytes(200_000 * 1024)),
        "more than promised.gz": lambda: gzip.compress(b"\0\0\x08\x03" + struct.pack(">III", 1, 2, 2) + bytes(300 << 20)),
        "floats.idx": lambda: b"\0\0\x0d\x03" + struct.pack(">III", 1, 2, 2) + bytes(16),
        "nothing.idx": lambda: b"",
    }


def wrong_zip() -> bytes:
    """One picture that can be read and seven members that cannot or must not."""
    file = io.BytesIO()
    picture = encoded("PNG")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.png", picture)
        archive.writestr("../../evil.png", picture)
        archive.writestr("/tmp/absolute.png", picture)
        archive.writestr("C:\\windows.png", picture)
        archive.writestr("bomb.png", bytes(300 << 20))
        archive.writestr("pixels.png", png_bomb())
        archive.writestr("cut.jpg", encoded("JPEG")[:-300])
        archive.writestr("empty.png", b"")
        archive.writestr("nested.zip", b"PK")
        archive.writestr("__MACOSX/._good.png", b"not a picture")
    return file.getvalue()
