"""How a step's cost grows with batch, side and width, and whether memory grows with the steps: python benchmarks/scaling.py

Writes docs/pictures/speed-scaling.png: one line a quantity, with the exponent fitted over its upper half (1 is proportional). Then
10,000 steps of the grid's game, and what the process held after 1,000 and at the end. Needs matplotlib.
"""

import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt  # pyright: ignore[reportMissingImports]
import numpy as np
import torch
from torch import Tensor

import mulligan
from mulligan.api import load_data
from mulligan.build import build_game
from mulligan.data import Stream
from mulligan.game import Moment
from mulligan.machine import settled
from mulligan.networks import DcganDiscriminator, DcganGenerator
from mulligan.recipe import Recipe
from mulligan.step import train_step

PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "speed-scaling.png"
CPU = torch.device("cpu")
BASE = settled(mulligan.named("mnist"), CPU).with_(image_size=32)
WAYS: dict[str, dict[int, Recipe]] = {
    "batch": {value: BASE.with_(batch=value) for value in (4, 8, 16, 32, 64, 128)},
    "side in pixels": {value: BASE.with_(image_size=value, batch=8) for value in (16, 32, 64, 128)},
    "width in channels": {
        value: BASE.with_(generator=DcganGenerator(value), discriminator=DcganDiscriminator(value))
        for value in (8, 16, 32, 64, 128)
    },
}
LONG, EARLY = 10_000, 1_000  # steps


def milliseconds(recipe: Recipe, repeats: int = 5) -> float:
    data = load_data(recipe)
    game, batches = build_game(recipe, data.shape, CPU), batches_of(recipe, data.items)
    times = []
    for step in range(repeats + 2):
        started = time.perf_counter()
        train_step(game, batches, Moment(0, step * recipe.step_images, 0.1, step))
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times[2:])


def batches_of(recipe: Recipe, items: Tensor) -> Iterator[Tensor]:
    stream = Stream(items, recipe.batch, 0)
    return (recipe.view.encode(stream.at(number * recipe.batch)) for number in itertools.count())


def draw(costs: dict[str, dict[int, float]]) -> None:
    figure, axes = plt.subplots(1, len(costs), figsize=(11, 3.4), layout="constrained", sharey=True)
    for axis, (name, cost) in zip(axes, costs.items(), strict=True):
        values, times = np.array(list(cost)), np.array(list(cost.values()))
        half = len(values) // 2
        slope, offset = np.polyfit(np.log(values[half:]), np.log(times[half:]), 1)
        axis.loglog(values, times, "o-", base=2, color="#2a6f97")
        axis.loglog(values, np.exp(offset) * values**slope, "--", base=2, color="#999999", label=f"exponent {slope:.2f}")
        axis.set_xlabel(name)
        axis.set_xticks(values, [str(value) for value in values])
        axis.grid(alpha=0.3)
        axis.legend(frameon=False)
        print(f"{name}: exponent {slope:.2f};", ", ".join(f"{value}: {ms:.3g} ms" for value, ms in cost.items()), flush=True)
    axes[0].set_ylabel("milliseconds a step")
    figure.savefig(PICTURE, dpi=110)


def held() -> int:
    """Bytes that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def growth() -> tuple[int, int]:
    recipe = mulligan.named("grid")
    data = load_data(recipe)
    game, batches, early = build_game(recipe, data.shape, CPU), batches_of(recipe, data.items), 0
    for step in range(LONG):
        train_step(game, batches, Moment(0, step * recipe.step_images, step / LONG, step))
        early = held() if step == EARLY else early
    return early, held()


def main() -> None:
    torch.set_num_threads(1)
    draw({name: {value: milliseconds(recipe) for value, recipe in recipes.items()} for name, recipes in WAYS.items()})
    early, late = growth()
    print(f"memory: {early / 2**20:.1f} MiB after {EARLY:,} steps, {late / 2**20:.1f} MiB after {LONG:,}")


if __name__ == "__main__":
    main()
