"""The run folder: the only interface between a training and whoever looks at it. Every write is whole or absent."""

import errno
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from mulligan.errors import RunFolderError, StorageError

RECIPE, EVENTS, MODEL, CHECKPOINTS, SAMPLES = "recipe.json", "events.jsonl", "model.safetensors", "checkpoints", "samples"
BLANK_DIGEST = "-" * 32  # stands where a file's digest will, while that is worked out
SPARE_BYTES = 8 << 20  # left free on the disk beyond what is being written


@dataclass(frozen=True)
class RunFolder:
    """The files of one run, by what they are."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "RunFolder":
        """A new run folder; refuses one that holds a run or anything else."""
        if (path / RECIPE).exists():
            raise RunFolderError(f"run={path} already holds a run; go on with `mulligan resume {path}` or choose another --run")
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise RunFolderError(f"run={path} exists and is not an empty folder; choose another --run")
        with storage_errors(path):
            for part in (CHECKPOINTS, SAMPLES):
                (path / part).mkdir(parents=True, exist_ok=True)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run folder; refuses anything else."""
        if not (path / RECIPE).is_file():
            state = f"has no {RECIPE}" if path.is_dir() else "does not exist"
            raise RunFolderError(f"run={path} {state}, so it is not a run; start one with `mulligan train --run {path}`")
        return cls(path)

    def write(self, name: str, content: bytes | str) -> Path:
        target = self.path / name
        write_whole(target, content.encode() if isinstance(content, str) else content)
        return target

    def read_recipe(self) -> dict[str, Any]:
        """What `recipe.json` holds: `recipe`, `versions` and `machine`."""
        try:
            facts = json.loads((self.path / RECIPE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunFolderError(f"run={self.path} has an unreadable {RECIPE}: {error}; restore it from a copy") from error
        if not isinstance(facts, dict) or "recipe" not in facts:
            raise RunFolderError(f"run={self.path} has a {RECIPE} without a recipe; restore it from a copy")
        return facts

    # events: one JSON object a line, appended

    def append_event(self, event: Mapping[str, Any]) -> None:
        with storage_errors(self.path), (self.path / EVENTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(event, allow_nan=False) + "\n")

    def events(self) -> list[dict[str, Any]]:
        """Every whole line; a last line cut off by a crash is passed over."""
        path = self.path / EVENTS
        found = []
        for line in path.read_text("utf-8", errors="replace").splitlines() if path.exists() else []:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def forget_events_after(self, images_seen: int) -> None:
        """Drop what a killed run logged beyond the checkpoint it goes on from: it will be logged again."""
        kept = [json.dumps(event) for event in self.events() if event["images"] <= images_seen]
        self.write(EVENTS, "".join(line + "\n" for line in kept))

    # checkpoints: tensors and JSON, no pickled code

    def save_checkpoint(self, images_seen: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any], keep: int) -> Path:
        """A durable file of everything a run needs to go on; the oldest beyond `keep` are removed afterwards."""
        name = f"{CHECKPOINTS}/{images_seen:09d}.safetensors"
        path = self.write(name, pack(tensors, facts))
        with storage_errors(self.path):
            others = [old for old in self.checkpoints() if old != path]
            for old in others[: max(len(others) - keep + 1, 0)]:
                old.unlink()
        return path

    def checkpoints(self) -> list[Path]:
        """Oldest first."""
        return sorted((self.path / CHECKPOINTS).glob("*.safetensors"), key=lambda path: (len(path.name), path.name))

    def samples(self) -> list[Path]:
        """The pictures, oldest first."""
        return sorted((self.path / SAMPLES).glob("*.png"))

    def newest_checkpoint(self) -> tuple[dict[str, Tensor], dict[str, Any], list[str]]:
        """Tensors, facts, and a line for each newer file that was damaged and passed over."""
        passed_over = []
        for path in reversed(self.checkpoints()):
            try:
                tensors, facts = unpack(path)
                return tensors, facts, passed_over
            except RunFolderError as error:
                passed_over.append(str(error))
        reason = f"none of its checkpoints can be read: {passed_over[0]}" if passed_over else "it has no checkpoint yet"
        raise RunFolderError(f"run={self.path} cannot go on, {reason}; start again with another --run")

    def save_model(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Path:
        return self.write(MODEL, pack(tensors, facts))

    def read_model(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        if not (self.path / MODEL).is_file():
            raise RunFolderError(f"run={self.path} has no {MODEL} yet; train it a little longer, it is saved with each checkpoint")
        return unpack(self.path / MODEL)


def next_free(parent: Path, name: str) -> Path:
    """`parent/name-0001` or the first number that is free."""
    number = 1
    while (parent / f"{name}-{number:04d}").exists():
        number += 1
    return parent / f"{name}-{number:04d}"


def pack(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> bytes:
    """A safetensors file whose metadata holds the facts as JSON and a digest of the whole file."""
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save(whole, {"digest": BLANK_DIGEST, "facts": json.dumps(facts)})
    return content.replace(entry(BLANK_DIGEST), entry(digest(content)))


def unpack(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `pack` packed; RunFolderError when a single byte differs."""
    try:
        content = path.read_bytes()
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        metadata = header.get("__metadata__", {})
        claimed = metadata.get("digest", BLANK_DIGEST)
        if digest(content.replace(entry(claimed), entry(BLANK_DIGEST))) != claimed:
            raise RunFolderError(f"{path} is damaged: its content does not match its digest")
        return load(content), json.loads(metadata["facts"])
    except (OSError, SafetensorError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise RunFolderError(f"{path} is damaged: {error}") from error


def entry(value: str) -> bytes:
    """The digest as it stands in a file's header; no other text there can look like it, since quotes in texts are escaped."""
    return b'"digest":"' + value.encode() + b'"'


def digest(content: bytes) -> str:
    """Of a packed file with a blank digest in its place."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def write_whole(target: Path, content: bytes) -> None:
    """Write under another name, flush to the disk, rename, flush the folder: after a crash the file is the old or the new."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    with storage_errors(target):
        free = shutil.disk_usage(target.parent).free
        if free < len(content) + SPARE_BYTES:
            raise OSError(errno.ENOSPC, f"{free >> 20} MiB free, {(len(content) + SPARE_BYTES) >> 20} needed")
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        flush_folder(target.parent)


def write_picture(target: Path, picture: Image.Image) -> None:
    """A PNG, whole or absent."""
    content = io.BytesIO()
    picture.save(content, "PNG")
    write_whole(target, content.getvalue())


def flush_folder(folder: Path) -> None:
    """Make a rename durable; Windows has no such call and needs none."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """The system's errors in the words of a person who wants to go on."""
    try:
        yield
    except OSError as error:
        what, mend = {
            errno.ENOSPC: (f"the disk is full ({error.strerror})", "free some space and resume"),
            errno.EDQUOT: ("the quota is used up", "free some space and resume"),
            errno.EROFS: ("the file system is read-only", "choose another --run"),
            errno.EACCES: ("writing is not permitted", "change the permissions or choose another --run"),
            errno.EPERM: ("writing is not permitted", "change the permissions or choose another --run"),
            errno.ENOENT: ("the folder is gone", "put it back and resume, or start again"),
            errno.ENOTDIR: ("a part of the path is a file", "choose another --run"),
        }.get(error.errno or 0, (str(error), "mend that and resume"))
        raise StorageError(f"{path} cannot be written: {what}; {mend}") from error
