"""What safety costs, as shares of the training's own time: python benchmarks/upkeep.py [RECIPE ...] [--steps N]

guard    a move that looks whether everything is finite against one that does not, steps taken in turns (median of the ratios)
report   vitals, scores and the line in the log, over the time between two reports
save     what the training waits for a snapshot, and the processor time of the writer beside it, over the time between checkpoints
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

import mulligan
from mulligan import player
from mulligan.api import load_data, open_stream
from mulligan.build import build_game
from mulligan.rundir import RunFolder
from mulligan.training import Training

ALWAYS = torch.tensor(1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=["mnist", "grid", "mnist-mlp", "mnist-dcgan-pooled"])
    parser.add_argument("--steps", type=int, default=100, help="pairs of steps, with and without the guard")
    options = parser.parse_args()
    print(f"{'recipe':<22}{'step':>9}{'guard':>9}{'report':>18}{'save':>34}{'all':>8}")
    for name in options.recipes:
        with tempfile.TemporaryDirectory() as place:
            print(costs(mulligan.named(name).with_(threads=1), Path(place) / "run", options.steps), flush=True)


def costs(recipe: mulligan.Recipe, place: Path, pairs: int) -> str:
    torch.set_num_threads(1)
    data = load_data(recipe)
    device = torch.device("cpu")
    folder = RunFolder.create(place)
    training = Training(build_game(recipe, data.shape, device), data, open_stream(recipe, data, device), folder, lambda event: None)
    guarded = player.norm
    for _ in range(3):
        training.step()
    plain, ratios = [], []
    for _ in range(pairs):
        seconds = {}
        for name, norm in (("plain", lambda tensors: ALWAYS), ("guarded", guarded)):
            player.norm = norm
            seconds[name] = timed(training.step)
        plain.append(seconds["plain"])
        ratios.append(seconds["guarded"] / seconds["plain"])
    step, guard = statistics.median(plain), statistics.median(ratios) - 1
    reports = [timed(training.report) for _ in range(5) if training.step() is None]
    waits, writing = [], []
    for _ in range(5):
        training.step()
        before = time.process_time() - time.thread_time()  # of all threads but this one
        waits.append(timed(training.save))
        training.keeper.writer.wait()
        writing.append(time.process_time() - time.thread_time() - before)
    report = statistics.median(reports) / (recipe.report_every_images / recipe.step_images * step)
    wait, write = statistics.median(waits), statistics.median(writing)
    save = (wait + write) / (recipe.checkpoint_every_images / recipe.step_images * step)
    return (
        f"{recipe.name:<22}{1e3 * step:>6.1f} ms{guard:>9.2%}{1e3 * statistics.median(reports):>9.1f} ms {report:>6.2%}"
        f"{1e3 * wait:>11.1f} + {1e3 * write:>5.1f} ms {save:>8.3%}{guard + report + save:>10.2%}"
    )


def timed(act: object) -> float:
    assert callable(act)
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
