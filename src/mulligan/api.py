"""The library's front door: train, resume, load, and a run as a value."""

import json
import platform
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from torch import Tensor

from mulligan.codec import part_name
from mulligan.data.report import DATA_REPORT, describe_text
from mulligan.errors import DeviceError, RecipeError, Stopped, UserError
from mulligan.game import build_game
from mulligan.model import Model, rebuild_model
from mulligan.networks.table import count_parameters
from mulligan.parts import Dataset
from mulligan.pictures import Scatter
from mulligan.recipe import Recipe
from mulligan.recipes import DEFAULT, named
from mulligan.report import write_report
from mulligan.rundir import RECIPE, RunFolder, next_free
from mulligan.training import Listener, Training, below
from mulligan.views import Pixels

RUNS = Path("runs")


class Run:
    """A run on disk: what it recorded and what its generator makes."""

    def __init__(self, path: str | Path, recipe: Recipe | None = None):
        self.folder = RunFolder.open(Path(path))
        self._own = recipe

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def recipe(self) -> Recipe:
        return self._own or Recipe.from_json(self.folder.read_recipe()["recipe"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every report of the run, oldest first."""
        return self.folder.events()

    def model(self, *, raw: bool = False) -> Model:
        """latents -> images. `raw` takes the newest weights instead of the average; they are in the newest checkpoint."""
        tensors, facts = self.folder.read_model()
        own = self._own.generator if self._own else None
        model = rebuild_model(tensors, facts, own)
        if raw:
            newest, _, _ = self.folder.newest_checkpoint()
            model.net.load_state_dict(below(newest, "generator"))
        return model

    def sample(self, count: int, seed: int = 0, *, truncation: float = 1.0, raw: bool = False) -> Tensor:
        """(N, C, H, W) float in [-1, 1], or (N, D) points. Sample i of a seed is the same for every `count`."""
        return self.model(raw=raw).sample(count, seed, truncation)


def train(
    recipe: str | Recipe = DEFAULT,
    *,
    run: str | Path | None = None,
    device: str = "auto",
    listener: Listener | None = None,
    **changes: Any,
) -> Run:
    """Train a recipe, by name or as a value, with any of its fields changed; returns the finished run.

    `run` is a new folder (default: the next free `runs/NAME-0001`). `listener` is called with every event as it is logged,
    and with {"notice": text} for what a person should know.
    Raises a UserError before anything is written when the choices do not fit, RunFailed when the run breaks, Stopped on Ctrl-C.
    """
    chosen = (named(recipe) if isinstance(recipe, str) else recipe).with_(**changes)
    place = pick_device(device)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    data = load_data(chosen)
    game = build_game(chosen, data.shape, place)
    path = Path(run) if run is not None else next_free(RUNS, chosen.name)
    training = Training(game, data, RunFolder(path), listener or ignore)  # its checks come before the folder exists
    folder = RunFolder.create(path)
    folder.write(RECIPE, record_text(chosen, place, data))
    folder.write(DATA_REPORT, describe_text(data))
    training.record.first_look()
    training.listener({"notice": opening_line(training)})
    return finish(training, chosen)


def resume(run: str | Path, *, recipe: Recipe | None = None, device: str | None = None, listener: Listener | None = None) -> Run:
    """Go on with a run to the same end, from its newest whole checkpoint.

    `recipe` is needed when the run used classes of your own: files never name code to be run. It must equal the recorded one.
    """
    folder = RunFolder.open(Path(run))
    facts = folder.read_recipe()
    chosen = recipe or Recipe.from_json(facts["recipe"])
    if recipe and recipe.to_json() != facts["recipe"]:
        raise RecipeError(f"run={folder.path} was started with another recipe; give the same one, or train it as a new run")
    tensors, state, passed_over = folder.newest_checkpoint()
    machine = facts.get("machine", {})
    place = pick_device(device or machine.get("device", "auto"))
    torch.set_num_threads(machine.get("threads", torch.get_num_threads()))
    data = load_data(chosen)
    training = Training(build_game(chosen, data.shape, place), data, folder, listener or ignore)
    training.restore(tensors, state)
    folder.forget_events_after(training.images_seen)
    for line in passed_over:
        training.listener({"notice": f"{line}; using the one before"})
    training.listener({"notice": f"going on from {training.images_seen:,} images; " + opening_line(training)})
    return finish(training, chosen)


def load(path: str | Path) -> Model:
    """The averaged generator of a run as a torch module: latents (N, size) -> images (N, C, H, W) in [-1, 1]."""
    return Run(path).model()


def finish(training: Training, recipe: Recipe) -> Run:
    """Run the loop, with Ctrl-C as a request to save and stop; leave the report in any case."""
    try:
        with stop_on_interrupt(training.ask_to_stop):
            training.run()
    finally:
        if training.folder.events():
            write_report(training.folder)
    return Run(training.folder.path, recipe)


def opening_line(training: Training) -> str:
    """What is about to happen, in one line."""
    recipe, data, game = training.recipe, training.data, training.game
    sizes = [count_parameters(player.net) for player in (game.generator, game.discriminator)]
    skipped = f" ({len(data.skipped)} unreadable files skipped, listed in {DATA_REPORT})" if data.skipped else ""
    return (
        f"training {recipe.name} into {training.folder.path}: {len(data):,} samples of {'x'.join(map(str, data.shape))}{skipped}, "
        f"generator {sizes[0]:,} and discriminator {sizes[1]:,} parameters, {recipe.images:,} images; Ctrl-C saves and stops"
    )


@contextmanager
def stop_on_interrupt(ask: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C asks; the second interrupts as usual. Outside the main thread signals cannot be caught, and are not."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        ask()

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def load_data(recipe: Recipe) -> Dataset:
    """The recipe's data in memory; RecipeError when it is of another kind than the recipe's view or picture."""
    data = recipe.data.load(recipe.image_size)
    holds_images = data.items.dtype == torch.uint8
    if holds_images != isinstance(recipe.view, Pixels):
        kinds = ("images", "points") if holds_images else ("points", "images")
        fitting = "mnist" if holds_images else "ring"
        raise RecipeError(
            f"recipe={recipe.name} is for {kinds[1]} and the data holds {kinds[0]} of shape {data.shape}; "
            f"choose a recipe for {kinds[0]}, such as {fitting}"
        )
    if holds_images == isinstance(recipe.picture, Scatter):
        picture, fitting = part_name(type(recipe.picture)), "image-grid" if holds_images else "scatter"
        raise RecipeError(f"picture={picture} cannot show samples of shape {data.shape}; use --picture {fitting}")
    if not holds_images and data.shape[0] < 2:
        raise RecipeError(f"data={recipe.data} has points of one coordinate; give two or more, so that they can be shown")
    return data


def pick_device(name: str) -> torch.device:
    """`auto` is CUDA when there is one, then MPS, then the CPU."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if available[kind]))
    if not available.get(name.split(":")[0], False):
        raise DeviceError(f"device={name} is not available here; use auto or {', '.join(k for k, v in available.items() if v)}")
    return torch.device(name)


def record_text(recipe: Recipe, device: torch.device, data: Dataset) -> str:
    """What `recipe.json` says: the recipe, the versions and the machine it ran on, and what the data was."""
    facts = {
        "recipe": recipe.to_json(),
        "versions": {
            "mulligan": version("mulligan"),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "safetensors": safetensors.__version__,
        },
        "machine": {"device": str(device), "threads": torch.get_num_threads(), "system": platform.platform()},
        "data": {"count": len(data), "shape": list(data.shape), "labels": list(data.label_names)},
    }
    return json.dumps(facts, indent=2)


def ignore(event: dict[str, Any]) -> None:
    """The listener of a run that nobody watches."""


__all__ = ["Run", "Stopped", "UserError", "load", "resume", "train"]
