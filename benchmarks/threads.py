"""Images per second of a recipe's step by thread count and precision: python benchmarks/threads.py [RECIPE] [--steps N]

Prints medians over the steps, all in one process. The machine's other work shows: run it when it is idle and when it is not.
"""

import argparse
import itertools
import os
import statistics
import time

import torch

import mulligan
from mulligan.api import load_data
from mulligan.build import build_game
from mulligan.data import Stream
from mulligan.game import Moment
from mulligan.step import train_step


def rate(recipe: mulligan.Recipe, threads: int, steps: int) -> float:
    """Real images per second, from the median step; the first three are not counted."""
    torch.set_num_threads(threads)
    data = load_data(recipe)
    game, stream = build_game(recipe, data.shape, torch.device("cpu")), Stream(data.items, recipe.batch, recipe.seed)
    batches = (recipe.view.encode(stream.at(index * recipe.batch)) for index in itertools.count())
    seconds = []
    for step in range(steps + 3):
        started = time.perf_counter()
        train_step(game, batches, Moment(recipe.seed, step * recipe.step_images, 0.0, step))
        seconds.append(time.perf_counter() - started)
    return recipe.step_images / statistics.median(seconds[3:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", nargs="?", default="mnist")
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    for precision in ("float32", "bfloat16"):
        for threads in range(1, (os.cpu_count() or 1) + 1):
            images = rate(mulligan.named(options.recipe).with_(precision=precision), threads, options.steps)
            print(f"{options.recipe} {precision:<9} {threads} threads: {images:8,.0f} images/s", flush=True)


if __name__ == "__main__":
    main()
