"""The library's front door: train, resume, load, and a run as a value."""

import json
import math
import time
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mulligan.build import build_game, outline
from mulligan.codec import part_name
from mulligan.data import Stream, load_train
from mulligan.data.report import DATA_REPORT, describe_text
from mulligan.errors import ArgumentError, DeviceError, RecipeError, RunFolderError, Stopped, StorageError, UserError
from mulligan.evaluate import Evaluation
from mulligan.features.extractor import Told
from mulligan.features.extractor import ignore as ignore_progress
from mulligan.judges import Question, Weights, judge_for, scoring_judge
from mulligan.machine import Machine, recorded_threads, settled
from mulligan.model import Model, read_model
from mulligan.networks.table import count_parameters
from mulligan.parts import Dataset
from mulligan.pictures import Scatter
from mulligan.recipe import Recipe
from mulligan.recipes import DEFAULT, named
from mulligan.report import write_report
from mulligan.rundir import MODEL, RunFolder
from mulligan.state import below, largest_file
from mulligan.stopping import stop_on_signals
from mulligan.threads import find_threads
from mulligan.training import Listener, Training
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

    def model(self, *, raw: bool = False, best: bool = False) -> Model:
        """latents -> images. `raw` takes the weights instead of their average, `best` the best checkpoint instead of the newest."""
        model = read_model(self.folder.path / MODEL, self._own.generator if self._own else None)
        if raw or best:
            tensors, facts, _ = self.folder.newest_checkpoint()
            if best:
                if not facts["best"]:
                    raise RunFolderError(f"run={self.path} has no best checkpoint: its recipe names no score; leave out --best")
                tensors, _, _ = self.folder.newest_checkpoint(until=int(facts["best"]["images"]))
            averaged = below(tensors, "average")
            model.net.load_state_dict(averaged if averaged and not raw else below(tensors, "generator"))
        return model

    def evaluate(self, n: int = 10_000, *, device: str = "auto", told: Told = ignore_progress, **choices: Any) -> Evaluation:
        """Scores of `n` fakes with their passport; also kept in the run's folder, under `evaluations`.

        `choices` are the fields of `mulligan.judges.Question`: metrics, features, reference, seed, truncation, weights. `told` is
        called with how many samples are looked at, of how many. Raises FeaturesError or DataError for what does not fit.
        """
        question, recipe, place = Question(n=n, **choices), self.recipe, pick_device(device)
        judge = judge_for(recipe, place, question, told)
        model = self.model(raw=question.weights == "raw", best=question.weights == "best").to(place)
        fakes = model.stored_samples(n, question.seed, question.truncation)
        found = judge.evaluate(fakes, question.made(averages=recipe.ema is not None), self.images_of(question.weights))
        self.folder.keep_evaluation(found.images_seen, judge.extractor.name, found.key, found.to_json())
        write_report(self.folder)
        return found

    def images_of(self, weights: Weights = "averaged") -> int:
        """Images that a model's weights have seen."""
        facts = self.folder.newest_checkpoint()[1]
        return int(facts["best"]["images"] if weights == "best" else facts["images_seen"])

    @property
    def evaluations(self) -> list[Evaluation]:
        """What `evaluate` found so far, in the order of images seen."""
        return [Evaluation.from_json(facts) for facts in self.folder.evaluations()]

    def sample(self, count: int, seed: int = 0, *, truncation: float = 1.0, raw: bool = False, best: bool = False) -> Tensor:
        """(N, C, H, W) float in [-1, 1], or (N, D) points. Sample i of a seed is the same for every `count`."""
        return self.model(raw=raw, best=best).sample(count, seed, truncation)


def train(
    recipe: str | Recipe = DEFAULT,
    *,
    run: str | Path | None = None,
    device: str = "auto",
    max_hours: float | None = None,
    listener: Listener | None = None,
    **changes: Any,
) -> Run:
    """Train a recipe, by name or as a value, with any of its fields changed; returns the finished run.

    `run` is a new folder (default: the next free `runs/NAME-0001`). After `max_hours` the run is saved and TimeUp raised.
    `listener` is called with every event as it is logged, and with {"notice": text} for what a person should know.
    Raises a UserError before anything is written when the choices do not fit, RunFailed when the run breaks, Stopped on Ctrl-C.
    """
    deadline = deadline_in(max_hours)
    place = pick_device(device)
    chosen = settled((named(recipe) if isinstance(recipe, str) else recipe).with_(**changes), place)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    data = load_data(chosen)
    game = build_game(chosen, data.shape, place)
    judge = scoring_judge(chosen, place)
    stream = open_stream(chosen, data, place)
    trial = None if chosen.threads else find_threads(game, lambda: repeat(chosen.view.encode(stream.at(0))))
    folder = RunFolder.create(Path(run)) if run is not None else RunFolder.create_next(RUNS, chosen.name)
    with folder.claim():
        folder.begin(record_text(chosen, place, data))
        training = Training(game, data, stream, folder, listener or ignore, judge)
        folder.write(DATA_REPORT, describe_text(data))
        training.record.first_look()
        training.tell(opening_line(training))
        if trial:
            training.tell(trial.line())
        return finish(training, chosen, deadline)


def resume(
    run: str | Path,
    *,
    recipe: Recipe | None = None,
    device: str | None = None,
    threads: int | None = None,
    max_hours: float | None = None,
    listener: Listener | None = None,
) -> Run:
    """Go on with a run to the same end, from its newest whole checkpoint.

    Bit for bit on the same machine, with the recorded number of threads (or give another in `threads`); what differs is told.
    `recipe` is needed when the run used classes of your own: files never name code to be run. It must equal the recorded one.
    """
    deadline = deadline_in(max_hours)
    folder = RunFolder.open(Path(run))
    recorded = folder.read_recipe()
    machine = Machine.recorded(recorded)
    place = pick_device(device or machine.device)
    chosen = settled(recipe, place) if recipe else Recipe.from_json(recorded["recipe"])
    if recipe and chosen.to_json() != recorded["recipe"]:
        raise RecipeError(f"run={folder.path} was started with another recipe; give the same one, or train it as a new run")
    with folder.claim():
        data = load_data(chosen)
        if shapes := outline(chosen, data.shape):
            folder.check_outline(shapes)
        game = build_game(chosen, data.shape, place)
        stream, judge = open_stream(chosen, data, place), scoring_judge(chosen, place)
        training = Training(game, data, stream, folder, listener or ignore, judge)
        tensors, state, passed_over = folder.newest_checkpoint(largest=largest_file(game, training.average))
        training.restore(tensors, state)
        machine = replace(machine, threads=recorded_threads(state) or machine.threads)  # the number may have changed on the way
        torch.set_num_threads(threads or machine.threads or torch.get_num_threads())
        training.keeper.logged = folder.keep_events(training.keeper.logged)
        for line in passed_over:
            training.tell(f"{line}; using the one before")
        for line in machine.differences(Machine.here(place)):
            training.tell(line)
        training.tell(f"going on from {training.images_seen:,} images; " + opening_line(training))
        return finish(training, chosen, deadline)


def load(path: str | Path) -> Model:
    """The averaged generator of a run as a torch module: latents (N, size) -> images (N, C, H, W) in [-1, 1]."""
    return Run(path).model()


def finish(training: Training, recipe: Recipe, deadline: float) -> Run:
    """Run the loop, with signals as requests to save and stop; leave the report in any case."""
    training.deadline = deadline
    try:
        with stop_on_signals(training.ask_to_stop, training.save_standby):
            training.run()
        if training.images_seen < recipe.images:
            training.tell(training.best.ended_line(training.images_seen))
    except Exception:
        training.keeper.writer.wait()  # the folder is let go of only when nothing is written there any more
        raise
    finally:
        if training.folder.events():
            try:
                write_report(training.folder)
            except StorageError as error:
                training.tell(str(error))
    return Run(training.folder.path, recipe)


def deadline_in(hours: float | None) -> float:
    """On the monotonic clock."""
    if hours is not None and not hours > 0:
        raise ArgumentError(f"max_hours={hours} is not positive; give the hours after which the run is to be saved and stopped")
    return math.inf if hours is None else time.monotonic() + hours * 3600


def open_stream(recipe: Recipe, data: Dataset, device: torch.device) -> Stream:
    return Stream(data.items, recipe.batch, recipe.seed, whole_batches=recipe.whole_batches, device=device)


def opening_line(training: Training) -> str:
    """What is about to happen, in one line."""
    recipe, data, game = training.recipe, training.data, training.game
    sizes = [count_parameters(player.net) for player in (game.generator, game.discriminator)]
    skipped = f" ({len(data.skipped)} unreadable files skipped, listed in {DATA_REPORT})" if data.skipped else ""
    held_out = f" and {data.held_out:,} held out for scores" if data.held_out else ""
    shape = "x".join(map(str, data.shape))
    return (
        f"training {recipe.name} into {training.folder.path}: {len(data):,} samples of {shape}{held_out}{skipped}, "
        f"generator {sizes[0]:,} and discriminator {sizes[1]:,} parameters, {recipe.images:,} images; Ctrl-C saves and stops"
    )


def load_data(recipe: Recipe) -> Dataset:
    """The recipe's data in memory; RecipeError when it is of another kind than the recipe's view or picture."""
    data = load_train(recipe.data, recipe.image_size, recipe.held_out)
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
    recorded = {
        "recipe": recipe.to_json(),
        **Machine.here(device).to_json(),
        "data": {"count": len(data), "shape": list(data.shape), "labels": list(data.label_names)},
    }
    return json.dumps(recorded, indent=2)


def ignore(event: dict[str, Any]) -> None:
    """The listener of a run that nobody watches."""


__all__ = ["Run", "Stopped", "UserError", "load", "resume", "train"]
