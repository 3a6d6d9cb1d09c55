"""Tensors and facts in one file: safetensors, with a digest of the whole. No pickled code, and nothing in a file is ever run."""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from mulligan.errors import RunFolderError
from mulligan.parts import Shape
from mulligan.storage import whole_file

BLANK_DIGEST = "-" * 32  # stands where a file's digest will, while that is worked out
LARGEST_HEADER = 16 << 20  # bytes: a longer one is damage, or meant to harm
KINDS = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}  # as the safetensors format names them
DAMAGE = (OSError, SafetensorError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)


def pack(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> bytes:
    """A safetensors file whose metadata holds the facts as JSON and a digest of the whole file."""
    head, views = lay_out(tensors, facts)
    start, end = digest_place(head, BLANK_DIGEST)
    return b"".join((head[:start], digest([head, *views]).encode(), head[end:], *views))


def write_packed(target: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Path:
    """The same as a durable file, without a copy in memory; the digest is worked out while the disk takes the rest in."""
    head, views = lay_out(tensors, facts)
    start, _ = digest_place(head, BLANK_DIGEST)
    with ThreadPoolExecutor(1) as beside, whole_file(target, len(head) + sum(map(len, views))) as file:
        digested = beside.submit(digest, [head, *views])
        for part in (head, *views):
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
        file.seek(start)
        file.write(digested.result().encode())
    return target


def lay_out(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> tuple[bytes, list[memoryview]]:
    """The header of a safetensors file, its digest still blank, and the bytes that follow it, where they lie in memory."""
    header: dict[str, Any] = {"__metadata__": {"digest": BLANK_DIGEST, "facts": json.dumps(facts)}}
    views, offset = [], 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):  # wide numbers first: aligned
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        view = flat.view(torch.uint8).numpy().data.cast("B") if flat.numel() else memoryview(b"")
        header[name] = {"dtype": KINDS[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + len(view)]}
        views.append(view)
        offset += len(view)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, views


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
        view = memoryview(content)
        if len(claimed) != len(BLANK_DIGEST) or digest([view[:start], BLANK_DIGEST.encode(), view[end:]]) != claimed:
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


def digest(parts: Iterable[bytes | memoryview]) -> str:
    """Of a file in pieces, with a blank digest in its place."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(part)
    return state.hexdigest()
