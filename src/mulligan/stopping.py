"""Signals as polite requests: the first one saves and stops, a second one quits at once."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mulligan.errors import HungUp, Stopped, Terminated

REASONS: dict[str, type[Stopped]] = {"SIGINT": Stopped, "SIGTERM": Terminated, "SIGHUP": HungUp}  # Windows has no SIGHUP


@contextmanager
def stop_on_signals(ask: Callable[[type[Stopped]], None], at_once: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Within, the first Ctrl-C, SIGTERM or SIGHUP asks; after it they do what they did before, so that a second one quits.

    Python runs `ask` between two of its own instructions, and one of those may be a minute of convolutions. `at_once` is called
    the moment the signal comes, in another thread, where the system can do that (not on Windows).
    A SIGHUP that is ignored (nohup) stays so. Outside the main thread signals cannot be caught, and are not.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reasons = {getattr(signal, name): reason for name, reason in REASONS.items() if hasattr(signal, name)}
    before = {number: signal.getsignal(number) for number in reasons}
    if HungUp in reasons.values() and before[signal.SIGHUP] is signal.SIG_IGN:
        del before[signal.SIGHUP]
    if before[signal.SIGINT] is signal.SIG_IGN:  # as in a shell's background: a second Ctrl-C must still quit
        before[signal.SIGINT] = signal.default_int_handler

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def on_signal(number: int, frame: Any) -> None:
        put_back()
        ask(reasons[signal.Signals(number)])

    for number in before:
        signal.signal(number, on_signal)
    try:
        with told_of_signals(at_once):
            yield
    finally:
        put_back()


@contextmanager
def told_of_signals(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` from a thread of its own as soon as a first signal arrives, whatever the main thread is busy with."""
    if os.name == "nt":
        yield
        return
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)

    def listen() -> None:
        if os.read(ear, 1) != b"\0":  # a signal's number; 0 is ours
            act()

    listener = threading.Thread(target=listen, name="mulligan-signals", daemon=True)
    listener.start()
    before = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.write(mouth, b"\0")
        listener.join()
        os.close(ear)
        os.close(mouth)
