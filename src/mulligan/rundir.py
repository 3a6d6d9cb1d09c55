"""The run folder: the only interface between a training and whoever looks at it. Every write is whole or absent."""

import errno
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from torch import Tensor

from mulligan.errors import RunFolderError
from mulligan.packed import LARGEST_HEADER, open_plain, peek, unpack, write_packed
from mulligan.parts import Shape
from mulligan.storage import TEMPORARY, storage_errors, write_whole

RECIPE, EVENTS, MODEL, CHECKPOINTS, SAMPLES = "recipe.json", "events.jsonl", "model.safetensors", "checkpoints", "samples"
EVALUATIONS = "evaluations"
LOCK = ".lock"
LONGEST_LINE = 1 << 20  # bytes of an event: what is longer is none of ours


@dataclass(frozen=True)
class RunFolder:
    """The files of one run, by what they are."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "RunFolder":
        """A new run folder; refuses one that holds a run or anything else."""
        if (path / RECIPE).exists():
            raise RunFolderError(f"run={path} already holds a run; go on with `mulligan resume {path}` or choose another --run")
        if path.is_file() or (path.is_dir() and any(found.name != LOCK for found in path.iterdir())):
            raise RunFolderError(f"run={path} exists and is not an empty folder; choose another --run")
        with storage_errors(path):
            for part in (CHECKPOINTS, SAMPLES):
                (path / part).mkdir(parents=True, exist_ok=True)
        return cls(path)

    @classmethod
    def create_next(cls, parent: Path, name: str) -> "RunFolder":
        """`parent/name-0001` or the first number that is free, also when two processes ask at once."""
        with storage_errors(parent):
            parent.mkdir(parents=True, exist_ok=True)
            while True:
                path = next_free(parent, name)
                try:
                    path.mkdir()
                except FileExistsError:
                    continue
                return cls.create(path)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run folder; refuses anything else."""
        if not (path / RECIPE).is_file():
            state = f"has no {RECIPE}" if path.is_dir() else "does not exist"
            raise RunFolderError(f"run={path} {state}, so it is not a run; start one with `mulligan train --run {path}`")
        return cls(path)

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Hold the folder against every other process; RunFolderError when one holds it. A process that dies lets go of it."""
        lock = FileLock(self.path / LOCK)
        with storage_errors(self.path):
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise RunFolderError(
                    f"run={self.path} is being trained by another process; wait for it, stop it, or choose another --run"
                ) from None
        try:
            self.sweep()
            yield
        finally:
            lock.release()

    def sweep(self) -> None:
        """Remove what a killed process was writing; nobody else writes here now."""
        with storage_errors(self.path):
            for part in (self.path, self.path / CHECKPOINTS, self.path / SAMPLES):
                for rubbish in part.glob(f".*{TEMPORARY}"):
                    rubbish.unlink()

    def begin(self, recipe_text: str) -> None:
        """Make the folder a run, now that it is claimed."""
        if (self.path / RECIPE).exists():  # another process was quicker, and has ended
            RunFolder.create(self.path)
        self.write(RECIPE, recipe_text)

    def write(self, name: str, content: str) -> Path:
        target = self.path / name
        write_whole(target, content.encode())
        return target

    def read_recipe(self) -> dict[str, Any]:
        """What `recipe.json` holds: `recipe`, `versions` and `machine`."""
        try:
            with open_plain(self.path / RECIPE) as file:
                facts = json.loads(file.read(LARGEST_HEADER))
        except (OSError, ValueError, RecursionError) as error:
            raise RunFolderError(f"run={self.path} has an unreadable {RECIPE}: {error}; restore it from a copy") from error
        if not isinstance(facts, dict) or "recipe" not in facts:
            raise RunFolderError(f"run={self.path} has a {RECIPE} without a recipe; restore it from a copy")
        return facts

    # evaluations: one file for each passport and moment

    def keep_evaluation(self, images_seen: int, features: str, key: str, facts: Mapping[str, Any]) -> Path:
        with storage_errors(self.path):
            (self.path / EVALUATIONS).mkdir(exist_ok=True)
        word = re.sub(r"[^\w.-]+", "-", features)  # a name of the user's own may hold what no file name can
        return self.write(f"{EVALUATIONS}/{images_seen:09d}-{word}-{key}.json", json.dumps(facts, indent=2))

    def evaluations(self) -> list[dict[str, Any]]:
        """The JSON of every one, by name: in the order of images seen."""
        found = []
        for path in sorted((self.path / EVALUATIONS).glob("*.json")):
            try:
                with open_plain(path) as file:
                    found.append(json.loads(file.read(LONGEST_LINE)))
            except (OSError, ValueError, RecursionError) as error:
                raise RunFolderError(f"{path} is no evaluation: {error}; delete it") from error
        return found

    # events: one JSON object a line, appended

    def append_event(self, event: Mapping[str, Any]) -> None:
        """A whole line, or none: what a full disk cut off is taken back."""
        line = (json.dumps(event, allow_nan=False) + "\n").encode()
        with storage_errors(self.path), (self.path / EVENTS).open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                if file.write(line) != len(line):
                    raise OSError(errno.ENOSPC, "a part of a line was written")
            except OSError:
                file.truncate(before)
                raise

    def events(self) -> list[dict[str, Any]]:
        """Every whole line; a last line cut off by a crash is passed over."""
        path, found = self.path / EVENTS, []
        if not path.is_file():
            return []
        with path.open("rb") as file:
            for line in iter(lambda: file.readline(LONGEST_LINE), b""):
                try:
                    event = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(event, dict) and isinstance(event.get("images"), int):
                    found.append(event)
        return found

    def keep_events(self, count: int) -> int:
        """Drop what a killed run logged after the checkpoint it goes on from, which counted `count`: it will be logged again.

        Returns how many there are then.
        """
        kept = self.events()[:count]
        self.write(EVENTS, "".join(json.dumps(event) + "\n" for event in kept))
        return len(kept)

    def flush_events(self) -> None:
        """Make the log as durable as the checkpoint that follows it."""
        if (self.path / EVENTS).exists():
            with storage_errors(self.path), (self.path / EVENTS).open("rb+") as file:
                os.fsync(file.fileno())

    # checkpoints: tensors and JSON, no pickled code

    def save_checkpoint(
        self,
        images_seen: int,
        tensors: Mapping[str, Tensor],
        facts: Mapping[str, Any],
        keep: int,
        best: int | None = None,
        healthy_until: int | None = None,
    ) -> Path:
        """A durable file of everything a run needs to go on.

        Afterwards only the newest `keep` stay, the one at `best` images, and the newest at `healthy_until` images or before.
        """
        path = write_packed(self.path / CHECKPOINTS / f"{images_seen:09d}.safetensors", tensors, facts)
        also = {best, None if healthy_until is None else self.newest_until(healthy_until)}
        with storage_errors(self.path):
            others = [old for old in self.checkpoints() if old != path]
            for old in others[: max(len(others) - keep + 1, 0)]:
                if images_of(old) not in also:
                    old.unlink()
        return path

    def newest_until(self, images_seen: int) -> int | None:
        """Images seen at the newest checkpoint of that moment or before; None when there is none."""
        return max((images for path in self.checkpoints() if (images := images_of(path)) <= images_seen), default=None)

    def checkpoints(self) -> list[Path]:
        """Oldest first."""
        found = [path for path in (self.path / CHECKPOINTS).glob("*.safetensors") if path.stem.isdecimal()]
        return sorted(found, key=images_of)

    def samples(self) -> list[Path]:
        """The pictures, oldest first."""
        return sorted((self.path / SAMPLES).glob("*.png"))

    def newest_checkpoint(
        self, until: int | None = None, largest: int | None = None
    ) -> tuple[dict[str, Tensor], dict[str, Any], list[str]]:
        """Tensors, facts, and a line for each newer file that was damaged and passed over.

        Only those at `until` images or before count, and no file above `largest` bytes is read.
        """
        passed_over = []
        for path in reversed(self.checkpoints()):
            if until is not None and images_of(path) > until:
                continue
            try:
                tensors, facts = unpack(path, largest)
                return tensors, facts, passed_over
            except RunFolderError as error:
                passed_over.append(str(error))
        reason = f"none of its checkpoints can be read: {passed_over[0]}" if passed_over else "it has no checkpoint yet"
        raise RunFolderError(f"run={self.path} cannot go on, {reason}; start again with another --run")

    def check_outline(self, wanted: Mapping[str, Shape]) -> None:
        """Before the recipe's networks are made: RunFolderError when the newest checkpoint has weights of other shapes."""
        for path in reversed(self.checkpoints()):
            try:
                shapes, _ = peek(path)
            except RunFolderError:
                continue  # damaged: said when it is read
            if odd := sorted(name for name in wanted if shapes.get(name) != wanted[name]):
                raise RunFolderError(
                    f"run={self.path} has a checkpoint that does not fit its recipe: {odd[0]} is {shapes.get(odd[0])} "
                    f"and the recipe makes it {wanted[odd[0]]}; restore {RECIPE} from a copy"
                )
            return

    def drop_checkpoints_after(self, images_seen: int) -> None:
        with storage_errors(self.path):
            for path in self.checkpoints():
                if images_of(path) > images_seen:
                    path.unlink()

    def save_model(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Path:
        return write_packed(self.path / MODEL, tensors, facts)


def images_of(checkpoint: Path) -> int:
    """How many images the run had seen when a checkpoint was saved."""
    return int(checkpoint.stem)


def next_free(parent: Path, name: str) -> Path:
    """`parent/name-0001` or the first number that is free."""
    number = 1
    while (parent / f"{name}-{number:04d}").exists():
        number += 1
    return parent / f"{name}-{number:04d}"
