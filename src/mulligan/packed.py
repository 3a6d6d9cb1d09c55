"""Tensors and facts in one file: safetensors, with a digest of the whole. No pickled code, and nothing in a file is ever run."""

import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from mulligan.errors import RunFolderError
from mulligan.parts import Shape

BLANK_DIGEST = "-" * 32  # stands where a file's digest will, while that is worked out
LARGEST_HEADER = 16 << 20  # bytes: a longer one is damage, or meant to harm
DAMAGE = (OSError, SafetensorError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)


def pack(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> bytes:
    """A safetensors file whose metadata holds the facts as JSON and a digest of the whole file."""
    return b"".join(pack_parts(tensors, facts))


def pack_parts(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> list[bytes | memoryview]:
    """The same in pieces to be written one after the other, so that a large file is not copied again."""
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save(whole, {"digest": BLANK_DIGEST, "facts": json.dumps(facts)})
    start, end = digest_place(content, BLANK_DIGEST)
    view = memoryview(content)
    return [view[:start], digest(content, start, end).encode(), view[end:]]


def unpack(path: Path, largest: int | None = None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `pack` packed; RunFolderError when a single byte differs, or before it is read when it has more than `largest` bytes."""
    try:
        with open_plain(path) as file:
            header = read_header(file)
            size = file.seek(0, 2)
            if largest is not None and size > largest:
                raise RunFolderError(f"{path} has {size:,} bytes where {largest:,} are the most there can be: it is not this run's")
            file.seek(0)
            content = file.read()
        claimed = header["__metadata__"]["digest"]
        start, end = digest_place(content, claimed)
        if len(claimed) != len(BLANK_DIGEST) or digest(content, start, end) != claimed:
            raise RunFolderError(f"{path} is damaged: its content does not match its digest")
        return load(content), facts_of(header)
    except DAMAGE as error:
        raise RunFolderError(f"{path} is damaged: {error}") from error


def peek(path: Path) -> tuple[dict[str, Shape], dict[str, Any]]:
    """Each tensor's shape, and the facts, from the header alone: what a file would take, before taking it."""
    try:
        with open_plain(path) as file:
            header = read_header(file)
        shapes = {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
        return shapes, facts_of(header)
    except DAMAGE as error:
        raise RunFolderError(f"{path} is damaged: {error}") from error


def open_plain(path: Path) -> BinaryIO:
    """For reading; ValueError for a pipe or a device, which would never end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is no plain file")
    return path.open("rb")


def read_header(file: BinaryIO) -> dict[str, Any]:
    """The JSON in front of the tensors; ValueError when it cannot be one of ours."""
    size = file.seek(0, 2)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if length > min(LARGEST_HEADER, size - 8):
        raise ValueError(f"its header claims {length:,} bytes and the file has {size:,}")
    header = json.loads(file.read(length))
    if not isinstance(header, dict) or "digest" not in header.get("__metadata__", {}):
        raise ValueError("its content does not match its digest")
    return header


def facts_of(header: Mapping[str, Any]) -> dict[str, Any]:
    facts = json.loads(header["__metadata__"]["facts"])
    if not isinstance(facts, dict):
        raise ValueError("its facts are none")
    return facts


def digest_place(content: bytes, value: str) -> tuple[int, int]:
    """Where a file's own digest stands; no other text in the header can look like it, since quotes in texts are escaped."""
    entry = b'"digest":"' + value.encode() + b'"'
    end = content.index(entry, 8, 8 + int.from_bytes(content[:8], "little")) + len(entry) - 1
    return end - len(value), end


def digest(content: bytes, start: int, end: int) -> str:
    """Of a packed file with a blank digest in its place."""
    view = memoryview(content)
    state = hashlib.blake2b(view[:start], digest_size=16)
    state.update(BLANK_DIGEST.encode())
    state.update(view[end:])
    return state.hexdigest()
