"""Writing beside the training: a snapshot is handed over, and the steps go on while it reaches the disk."""

import threading
from collections.abc import Callable

from mulligan.errors import StorageError


class Writer:
    """One job at a time, in order, in a thread of its own. What went wrong is kept until it is asked for."""

    def __init__(self) -> None:
        self.trouble: StorageError | None = None
        self._bug: BaseException | None = None
        self._thread: threading.Thread | None = None

    def start(self, job: Callable[[], object]) -> None:
        """Begin a job, after the one before has ended."""
        self.wait()
        # a daemon: who presses Ctrl-C twice wants to leave now, and a file is whole or absent anyway
        self._thread = threading.Thread(target=self._run, args=(job,), name="mulligan-writer", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until the job under way has ended."""
        if self._thread:
            self._thread.join()
            self._thread = None
        if self._bug:
            bug, self._bug = self._bug, None
            raise bug

    def take_trouble(self) -> StorageError | None:
        """The storage error of an earlier job, once."""
        trouble, self.trouble = self.trouble, None
        return trouble

    def _run(self, job: Callable[[], object]) -> None:
        try:
            job()
        except StorageError as error:
            self.trouble = error
        except BaseException as error:  # not the disk's fault: raised in the training's own thread
            self._bug = error
