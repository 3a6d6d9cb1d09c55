"""What a recipe will take on this machine, in time and memory: measured on a few of its own steps, in a process of their own."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from mulligan.api import load_data, open_stream, pick_device
from mulligan.build import build_game
from mulligan.errors import MulliganError, RecipeError
from mulligan.machine import settled
from mulligan.recipe import Recipe
from mulligan.rundir import RunFolder
from mulligan.threads import find_threads
from mulligan.training import Training

FEWEST_STEPS = 5
CHILD = "from mulligan.forecast import measure_here; measure_here()"


@dataclass(frozen=True)
class Forecast:
    """Of a whole run."""

    seconds: float
    images_per_second: float
    memory: int | None  # bytes of the process at its peak; None where the system does not tell
    device_memory: int | None  # bytes on the accelerator, where there is one
    threads: int
    precision: str

    def line(self) -> str:
        """For people."""
        held = "" if self.memory is None else f", {gib(self.memory)} of memory"
        on_device = "" if self.device_memory is None else f", {gib(self.device_memory)} on the accelerator"
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{duration(self.seconds)} ({self.images_per_second:,.0f} images/s, {self.precision}, {threads}){held}{on_device}"


def forecast(recipe: Recipe, device: str = "auto", seconds: float = 6.0) -> Forecast:
    """Try the recipe for so many `seconds`; nothing of it stays. RecipeError with the reason when it cannot be trained."""
    question = json.dumps({"recipe": recipe.to_json(), "device": device, "seconds": seconds})
    done = subprocess.run([sys.executable, "-c", CHILD], input=question, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        reason = lines[-1] if lines else (done.stderr.splitlines() or ["the process ended without a word"])[-1]
        raise RecipeError(f"recipe={recipe.name} cannot be tried: {reason}")
    return Forecast(**json.loads(lines[-1]))


def measure_here() -> None:
    """The child: a recipe on standard input, what it takes on standard output."""
    question: dict[str, Any] = json.loads(sys.stdin.read())
    try:
        recipe, device = Recipe.from_json(question["recipe"]), pick_device(question["device"])
        sys.stdout.write(json.dumps(asdict(measure(settled(recipe, device), device, question["seconds"]))) + "\n")
    except MulliganError as error:
        sys.stdout.write(f"{error}\n")
        sys.exit(1)


def measure(recipe: Recipe, device: torch.device, seconds: float) -> Forecast:
    """Steps, one picture and one checkpoint of a run that is thrown away."""
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    data = load_data(recipe)
    game, stream = build_game(recipe, data.shape, device), open_stream(recipe, data, device)
    with tempfile.TemporaryDirectory() as place:
        training = Training(game, data, stream, RunFolder.create(Path(place) / "run"), lambda event: None)
        if not recipe.threads:
            find_threads(game, training.batches)
        step, ended = [], time.monotonic() + seconds
        while len(step) < FEWEST_STEPS + 2 or time.monotonic() < ended:
            step.append(timed(training.step, device))
        picture = timed(lambda: training.record.sample(training.images_seen, training.newest_real(), {}), device)
        report = timed(training.report, device)
        training.save(last=True)
        steps = recipe.images / recipe.step_images
        whole = steps * statistics.fmean(sorted(step[2:])[: max(1, (9 * len(step)) // 10)])
        whole += recipe.images / recipe.sample_every_images * picture + recipe.images / recipe.report_every_images * report
        on_cuda = device.type == "cuda"
        return Forecast(
            seconds=whole,
            images_per_second=recipe.images / whole,
            memory=peak_memory(),
            device_memory=torch.cuda.max_memory_reserved() if on_cuda else None,
            threads=torch.get_num_threads(),
            precision=recipe.precision,
        )


def timed(work: Any, device: torch.device) -> float:
    started = time.monotonic()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.monotonic() - started


def peak_memory() -> int | None:
    """Bytes that this process has held at most."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where `getrusage` begins with what the parent held
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"


def duration(seconds: float) -> str:
    """Rounded to what a person wants to know."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
