"""Our step against the loop that a tutorial's reader would write: python benchmarks/speed.py [RECIPE ...] [--rounds N]

The plain loop (benchmarks/plain.py) has the same networks, losses and optimisers, in float32, with PyTorch's own number of threads
and an ordinary DataLoader. Both are timed in turns in one process, so the machine's other work meets both; ratios are of the same
round, and medians and quartiles over the rounds are printed. `ceiling` is the share of the machine's measured matrix-product rate,
in the same precision and with as many threads, that the step's useful floating-point operations reach.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from plain import plain_loop
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

import mulligan
from mulligan.api import load_data, pick_device
from mulligan.build import build_game
from mulligan.data import StackedMnist, Stream
from mulligan.ema import averaged_copy, move_average
from mulligan.game import Moment
from mulligan.graphs import CudaRecorder, Recorded
from mulligan.machine import settled
from mulligan.recipe import Recipe
from mulligan.step import deal, play
from mulligan.threads import find_threads

CLASSICS = ("mnist-mlp", "mnist-dense", "mnist-dcgan-strided", "mnist-dcgan-pooled", "faces-cnn", "gaussian")
OURS = ("mnist", "grid", "r3gan-like")
PAGE = Path(__file__).parent.parent / "docs" / "speed.md"
START, END = "<!-- table -->", "<!-- end -->"
PADDLE_CLASSICS = ("mnist-mlp", "mnist-dcgan-pooled")


def chosen_recipe(name: str) -> Recipe:
    if name == "r3gan-like":  # a wide pair at 32 x 32 with both penalties at every step
        return mulligan.named("mnist-fine").with_(name=name, image_size=32, batch=64)
    recipe = mulligan.named(name)
    if name == "faces-cnn":  # digits as large and as colourful as its faces
        return recipe.with_(data=StackedMnist(count=1_000), image_size=96, batch=16)
    return recipe


def our_loop(recipe: Recipe, device: torch.device) -> tuple[Callable[[], object], int, float]:
    """A step that goes on where the last one ended, as the training takes it; the number of threads, and operations in a step."""
    recipe = settled(recipe, device).with_(images=10**9)  # long, so that the threads are tried
    data = load_data(recipe)
    game, stream = build_game(recipe, data.shape, device), Stream(data.items, recipe.batch, recipe.seed, device=device)
    counter = itertools.count()

    def batches() -> Iterator[Tensor]:
        while True:
            yield recipe.view.encode(stream.at(next(counter) * recipe.batch))

    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    else:
        find_threads(game, batches)
    threads = torch.get_num_threads()
    average = averaged_copy(game.generator.net) if recipe.ema else None
    recorded = Recorded(game, CudaRecorder(), print) if device.type == "cuda" and recipe.graphs else None
    steps = itertools.count()

    def one_step(*, eager: bool = False) -> None:
        number = next(steps)
        moment = Moment(recipe.seed, number * recipe.step_images, 0.1, number * recipe.discriminator_updates)
        hand = deal(game, batches(), moment)
        step = recorded(hand, moment) if recorded and not eager else play(game, hand, moment)
        if average and recipe.ema:
            move_average(average, game.generator.net, 0.01, step.sound, look=device.type == "cpu")

    with Operations() as counted:
        one_step(eager=True)
    return one_step, threads, counted.total


class Operations(TorchDispatchMode):
    """Counts the floating-point operations of matrix products and convolutions, in gradients of gradients too."""

    total = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if formula := flop_registry.get(func._overloadpacket):
            self.total += formula(*args, **(kwargs or {}), out_val=result)
        return result


def ceiling(precision: str, threads: int, device: torch.device) -> float:
    """Floating-point operations a second of a matrix product that fits the caches: the best of several, and sizes."""
    if device.type == "cpu":
        torch.set_num_threads(threads)
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    best = 0.0
    for side in (512, 1024) if device.type == "cpu" else (4096, 8192):
        left, right = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))
        for _ in range(8):
            started = time.perf_counter()
            _ = left @ right
            synchronise(device)
            best = max(best, 2 * side**3 / (time.perf_counter() - started))
    return best


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


class Paddle:
    """PaddlePaddle's own loop, in a process of its own; absent where the interpreter has no PaddlePaddle."""

    def __init__(self, interpreter: str, recipe: Recipe):
        probe = [interpreter, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('paddle') is None)"]
        self.there = recipe.name in PADDLE_CLASSICS and subprocess.run(probe, check=False).returncode == 0
        self.interpreter, self.recipe = interpreter, recipe

    def milliseconds(self, seconds: float = 4.0) -> float:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "images.npy"
            np.save(path, self.recipe.view.encode(load_data(self.recipe).items[:6_400]).numpy())
            words = [self.interpreter, str(Path(__file__).parent / "paddle_loop.py"), self.recipe.name, str(path), str(seconds)]
            done = subprocess.run(words, check=True, capture_output=True, text=True)
        return float(done.stdout.split()[-1])


def compare(recipe: Recipe, rounds: int, device: torch.device, interpreter: str) -> dict[str, Any]:
    """Both loops in turns, and PaddlePaddle's in every third."""
    default_threads = torch.get_num_threads()
    step, threads, operations = our_loop(recipe, device)
    loops: dict[str, tuple[Callable[[], object], int]] = {
        "plain": (plain_loop(recipe, load_data(recipe), device), default_threads),
        "ours": (step, threads),
    }
    for loop, number in loops.values():
        torch.set_num_threads(number)
        for _ in range(3):
            loop()
    started = time.perf_counter()
    step()
    synchronise(device)
    repeats = max(1, round(0.25 / max(time.perf_counter() - started, 1e-9)))  # a quarter of a second at a time
    seconds: dict[str, list[float]] = {side: [] for side in loops}
    paddle, paddle_ratios = Paddle(interpreter, recipe), []
    for number_of_round in range(rounds):
        for side, (loop, number) in loops.items():
            torch.set_num_threads(number)
            loop()
            synchronise(device)
            started = time.perf_counter()
            for _ in range(repeats):
                loop()
            synchronise(device)
            seconds[side].append((time.perf_counter() - started) / repeats)
        if paddle.there and number_of_round % 3 == 0:
            paddle_ratios.append(paddle.milliseconds() / 1e3 / seconds["ours"][-1])
    precision = settled(recipe, device).precision
    ratios = [plain / ours for plain, ours in zip(seconds["plain"], seconds["ours"], strict=True)]
    share = operations / min(seconds["ours"]) / ceiling(precision, threads, device)
    torch.set_num_threads(default_threads)
    return {
        "recipe": recipe.name,
        "precision": precision,
        "threads": threads,
        "plain_ms": 1e3 * statistics.median(seconds["plain"]),
        "ours_ms": 1e3 * statistics.median(seconds["ours"]),
        "ratio": statistics.median(ratios),
        "quartiles": statistics.quantiles(ratios, n=4)[::2] if len(ratios) > 1 else ratios * 2,
        "images_per_second": recipe.step_images / statistics.median(seconds["ours"]),
        "gigaflop": operations / 1e9,
        "ceiling": share,
        "paddle_ratio": statistics.median(paddle_ratios) if paddle_ratios else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=[*CLASSICS, *OURS], metavar="RECIPE")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--paddle", default=sys.executable, metavar="PYTHON", help="an interpreter that has PaddlePaddle")
    parser.add_argument("--precision", choices=["float32", "bfloat16", "auto"], help="of ours, in place of the recipe's")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", action="store_true", help="write the table into docs/speed.md")
    options = parser.parse_args()
    device, rows = pick_device(options.device), []
    changes = {"precision": options.precision} if options.precision else {}
    columns = ("recipe", "plain loop", "ours", "ratio (quartiles)", "images/s", "precision, threads", "GFLOP a step", "ceiling")
    lines = [f"| {' | '.join(columns)} | PaddlePaddle / ours |", "|---" * (len(columns) + 1) + "|"]
    print("\n".join(lines))
    for name in options.recipes:
        row = compare(chosen_recipe(name).with_(**changes), options.rounds, device, options.paddle)
        rows.append(row)
        lines.append(line(row))
        print(lines[-1], flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    if options.page:
        head, _, rest = PAGE.read_text().partition(START)
        PAGE.write_text(f"{head}{START}\n" + "\n".join(lines) + f"\n{END}{rest.partition(END)[2]}")


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    low, high = row["quartiles"]
    cells = (
        f"`{row['recipe']}`",
        f"{row['plain_ms']:.3g} ms",
        f"{row['ours_ms']:.3g} ms",
        f"**{row['ratio']:.2f}** ({low:.2f} to {high:.2f})",
        f"{row['images_per_second']:,.0f}",
        f"{row['precision']}, {row['threads']}",
        f"{row['gigaflop']:.3g}",
        f"{100 * row['ceiling']:.0f} %",
        "" if row["paddle_ratio"] is None else f"{row['paddle_ratio']:.1f}",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
