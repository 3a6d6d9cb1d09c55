"""What a run leaves on the disk while it goes on: the log and the checkpoints, and what happens when the disk refuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from mulligan.errors import StorageError
from mulligan.rundir import RunFolder
from mulligan.writer import Writer

GOES_ON = "the training goes on and tries again with the next checkpoint"


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment: copies of its tensors, and facts as JSON; the same of its model, for `model.safetensors`."""

    images_seen: int
    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]
    model: Mapping[str, Tensor]
    model_facts: Mapping[str, Any]
    best: int | None  # images seen at the checkpoint that is the best by the recipe's score
    healthy_until: int  # images seen at the last healthy report


class Keeper:
    """Logs and saves one run. A disk that refuses costs no training: it is said aloud, and tried again."""

    def __init__(self, folder: RunFolder, keep: int, tell: Callable[[str], None]):
        self.folder, self.keep, self.tell = folder, keep, tell
        self.writer = Writer()
        self.logged = 0  # events in the log, with those that wait
        self._waiting: list[Mapping[str, Any]] = []  # events that the disk refused
        self._complaint = ""  # the last one: the same is not said twice in a row

    def log(self, event: Mapping[str, Any]) -> None:
        """One line in the log; when the disk refuses, it waits in memory."""
        self.logged += 1
        self._waiting.append(event)
        self.attempt(self._log_waiting)

    def attempt(self, write: Callable[[], object]) -> None:
        """Write something that the run can go on without."""
        try:
            write()
        except StorageError as error:
            self.complain(error)

    def complain(self, error: StorageError) -> None:
        complaint = f"{error}; {GOES_ON}"
        if complaint != self._complaint:
            self.tell(complaint)
        self._complaint = complaint

    def save(self, snapshot: Snapshot) -> None:
        """Write a snapshot beside the training."""
        self.writer.wait()
        self.check()
        if self._waiting:
            self.attempt(self._log_waiting)
        self.hand_over(snapshot)

    def hand_over(self, snapshot: Snapshot) -> None:
        """Begin to write, and say nothing."""
        self.writer.start(lambda: self._write(snapshot))

    def save_now(self, snapshot: Snapshot) -> None:
        """Save, and return when it is on the disk; StorageError when it cannot be."""
        self.writer.wait()
        self.writer.take_trouble()  # of an older snapshot: this one takes its place
        self._log_waiting()
        self._write(snapshot)

    def newest_until(self, images_seen: int) -> int | None:
        """The newest checkpoint of that moment or before, by images seen; what is still being written counts."""
        self.writer.wait()
        return self.folder.newest_until(images_seen)

    def check(self) -> None:
        """Say what the writer could not write."""
        if trouble := self.writer.take_trouble():
            self.complain(trouble)

    def _log_waiting(self) -> None:
        while self._waiting:
            self.folder.append_event(self._waiting[0])
            del self._waiting[0]

    def _write(self, snapshot: Snapshot) -> None:
        self.folder.flush_events()
        self.folder.save_checkpoint(
            snapshot.images_seen, snapshot.tensors, snapshot.facts, self.keep, snapshot.best, snapshot.healthy_until
        )
        self.folder.save_model(snapshot.model, snapshot.model_facts)
