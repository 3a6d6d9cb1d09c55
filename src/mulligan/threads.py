"""How many CPU threads: found by trying, because two can be many times slower than one on a busy machine.

The number decides the last digits of a run, so it is recorded with it, and a resumed run keeps it.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mulligan.game import Game, Moment
from mulligan.state import game_tensors, restore_game
from mulligan.step import train_step

LONG_RUN = 60.0  # seconds on one thread: a shorter run is not worth a trial
MOST_TRIAL_SECONDS = 2.0  # or this share of the run, if that is more
MOST_TRIAL_SHARE = 0.01
HOPELESS = 2  # times as slow as what counts as slow, at the first step: not tried again
ENOUGH = 25  # steps with one number of threads
WORTHWHILE = 1.1  # times as fast as fewer threads, or it is not worth taking more
SLOW = 0.6  # of the pace it had: the machine got busy
SLOW_REPORTS = 3  # so many in a row before the trial is repeated


@dataclass(frozen=True)
class Trial:
    """Seconds that a step took, by the number of threads."""

    seconds: dict[int, float]

    @property
    def best(self) -> int:
        """The number that is fastest; of more threads only where they are worth it."""
        best = min(self.seconds)
        for threads in sorted(self.seconds):
            if self.seconds[threads] * WORTHWHILE < self.seconds[best]:
                best = threads
        return best

    def line(self) -> str:
        each = ", ".join(f"{threads}: {1e3 * seconds:.3g} ms" for threads, seconds in sorted(self.seconds.items()))
        return f"threads={self.best}, found by trying ({each} a step)"


def cores() -> int:
    """Threads that this process may use: its cores, or OMP_NUM_THREADS where that is set to less."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(found, int(told)) if told.isdigit() and int(told) else found


def find_threads(game: Game, batches: Callable[[], Iterator[Tensor]], images_seen: int = 0, otherwise: int = 1) -> Trial | None:
    """Try this game's own steps, and leave it as it was; None where there is nothing to choose, or too little to win.

    Afterwards PyTorch uses what was found, or `otherwise`. Only a game on the CPU is tried; others leave the threads alone.
    """
    if game.device.type != "cpu":
        return None
    if cores() < 2:
        torch.set_num_threads(1)
        return None
    before = {name: value.clone() for name, value in game_tensors(game, game.generator.net).items()}
    recipe = game.recipe
    moment = Moment(recipe.seed, images_seen, images_seen / recipe.images, images_seen // recipe.batch)
    left = (recipe.images - images_seen) // recipe.step_images
    try:
        trial = try_threads(lambda: train_step(game, batches(), moment), torch.set_num_threads, cores(), left)
    finally:
        restore_game(game, game.generator.net, before)
    torch.set_num_threads(trial.best if trial else otherwise)
    return trial


def candidates(most: int) -> list[int]:
    """1, 2, 4, ... and the most there are."""
    powers = [1 << power for power in range(most.bit_length()) if 1 << power < most]
    return [*powers, most]


def try_threads(step: Callable[[], object], set_threads: Callable[[int], None], most: int, steps: int) -> Trial | None:
    """Time `step` with each number of threads, in turns; None when a run of so many `steps` is too short to be worth it."""

    def timed(threads: int) -> float:
        set_threads(threads)
        started = time.perf_counter()
        step()
        return time.perf_counter() - started

    timed(1)  # the first step of a process is slow
    alone = timed(1)
    if alone * steps < LONG_RUN:
        return None
    budget = max(MOST_TRIAL_SECONDS, MOST_TRIAL_SHARE * alone * steps)
    found: dict[int, list[float]] = {threads: [] for threads in candidates(most)}
    found[1].append(alone)
    started = time.perf_counter()
    while any(not times for times in found.values()) or time.perf_counter() - started < 0.8 * budget:
        slowest = 2 * min(min(times) for times in found.values() if times)
        for threads, times in found.items():
            first = 0.0 if times else timed(threads)  # its threads are made, its kernels chosen
            if first > HOPELESS * slowest:
                times += [first, first]
            if len(times) < 2 or min(times) < slowest:
                times.append(timed(threads))
        if max(map(len, found.values())) >= ENOUGH:
            break
    return Trial({threads: statistics.median(times) for threads, times in found.items()})


@dataclass
class Pace:
    """Notices that a run has become much slower than it was, for long."""

    usual: float = 0.0  # images per second
    slow: int = 0  # reports in a row

    def note(self, rate: float) -> bool:
        """Whether, with this report, it is time to try again."""
        self.slow = self.slow + 1 if rate < SLOW * self.usual else 0
        if self.slow < SLOW_REPORTS:
            self.usual = max(self.usual, rate)
            return False
        self.usual, self.slow = rate, 0  # what comes of the trial is the new measure
        return True
