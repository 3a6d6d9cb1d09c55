"""The loop: upkeep, exit test, work. Everything random is a function of (seed, images seen), so a resumed run is the same run."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from mulligan.data import Stream
from mulligan.ema import averaged_copy, move_average
from mulligan.errors import Diverged, RunFolderError, Stopped
from mulligan.game import Game, Moment, Player, train_step
from mulligan.parts import Dataset
from mulligan.record import Record
from mulligan.rundir import RunFolder

Listener = Callable[[dict[str, Any]], None]  # is told of every event as it is written


@dataclass
class Training:
    """A run under way: the game, its data, its folder and how far it has come."""

    game: Game
    data: Dataset
    folder: RunFolder
    listener: Listener = lambda event: None
    images_seen: int = 0
    seconds: float = 0.0
    sums: dict[str, Tensor] = field(default_factory=dict)  # of each term since the last report
    counts: dict[str, int] = field(default_factory=dict)
    stop_asked: bool = False

    def __post_init__(self) -> None:
        recipe = self.game.recipe
        self.recipe = recipe
        self.average = averaged_copy(self.game.generator.net) if recipe.ema else self.game.generator.net
        self.stream = Stream(
            self.data.items, recipe.batch, recipe.seed, whole_batches=recipe.whole_batches, device=self.game.device
        )
        self.record = Record(self.game, self.average, self.data, self.folder, self.stream.epoch_images)
        self._started = time.monotonic()
        self._saved_at = -1

    def run(self) -> None:
        """Train to the recipe's end, or until `stop_asked`; Stopped then, with everything saved."""
        recipe = self.recipe
        self._started = time.monotonic() - self.seconds
        if self.images_seen == 0:
            self.record.sample(0, self.newest_real(), {})
        while True:
            ended = self.images_seen >= recipe.images
            before = self.images_seen - recipe.step_images
            if self.sums and (ended or crossed(recipe.report_every_images, before, self.images_seen)):
                self.report()
            if ended or self.stop_asked or crossed(recipe.checkpoint_every_images, before, self.images_seen):
                self.save()
            if ended:
                return
            if self.stop_asked:
                raise Stopped(
                    f"stopped at {self.images_seen:,} of {recipe.images:,} images, saved; "
                    f"go on with `mulligan resume {self.folder.path}`"
                )
            self.step()
            if self.images_seen >= recipe.images or crossed(
                recipe.sample_every_images, self.images_seen - recipe.step_images, self.images_seen
            ):
                self.record.sample(self.images_seen, self.newest_real(), self.means())

    def ask_to_stop(self) -> None:
        """After the step under way, save and raise Stopped."""
        self.stop_asked = True

    def step(self) -> None:
        recipe = self.recipe
        step = self.images_seen // recipe.step_images
        progress = min(self.images_seen / recipe.images, 1.0)
        moment = Moment(recipe.seed, self.images_seen, progress, step * recipe.discriminator_updates)
        for name, value in train_step(self.game, self.batches(), moment).items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
            self.counts[name] = self.counts.get(name, 0) + 1
        self.images_seen += recipe.step_images
        if recipe.ema:
            move_average(self.average, self.game.generator.net, recipe.ema.weight(self.images_seen, recipe.step_images))

    def batches(self) -> Iterator[Tensor]:
        """The real batches of this step, as the networks see them."""
        position = self.images_seen
        while True:
            yield self.recipe.view.encode(self.stream.at(position))
            position += self.recipe.batch

    def newest_real(self) -> Tensor:
        """The last batch that was shown, as stored (before the first step: the first)."""
        return self.stream.at(max(self.images_seen - self.recipe.batch, 0))

    def means(self) -> dict[str, float]:
        """The mean of every term since the last report; Diverged when one is no number."""
        means = {name: float(total) / self.counts[name] for name, total in self.sums.items()}
        for name, value in means.items():
            if not math.isfinite(value):
                raise diverged(name, str(value), self.images_seen)
        return means

    def report(self) -> None:
        """One line in the log: the means since the last one."""
        terms = self.means()
        told_apart = terms.pop("told_apart")
        self.seconds = time.monotonic() - self._started
        event = {
            "images": self.images_seen,
            "seconds": round(self.seconds, 3),
            "terms": terms,
            "rates": self.rates(),
            "told_apart": told_apart,
            "health": health(told_apart, self.game.loss.log_odds),
        }
        if scores := self.record.scores():
            event |= {"scores": scores, "passport": self.record.passport()}
        self.folder.append_event(event)
        self.sums, self.counts = {}, {}
        self.listener(event)

    def rates(self) -> dict[str, float]:
        """The learning rates of the last step, and images per second since the start."""
        rates = {name: player.optimizer.param_groups[0]["lr"] for name, player in self.players().items()}
        return rates | {"images_per_second": self.images_seen / max(self.seconds, 1e-9)}

    # everything that a run needs to go on, as tensors and JSON

    def save(self) -> None:
        if self.images_seen == self._saved_at:
            return
        self.means()  # a run that has diverged must not replace its last good checkpoint
        self.seconds = time.monotonic() - self._started
        facts = {"images_seen": self.images_seen, "seconds": self.seconds, "counts": self.counts}
        tensors = self.state()
        for name, tensor in tensors.items():
            if not torch.isfinite(tensor).all():
                raise diverged(name, "not finite", self.images_seen)
        self.folder.save_checkpoint(self.images_seen, tensors, facts, self.recipe.keep_checkpoints)
        self.record.save_model()
        self._saved_at = self.images_seen

    def state(self) -> dict[str, Tensor]:
        tensors = {f"average.{name}": value for name, value in self.average.state_dict().items()} if self.recipe.ema else {}
        for role, player in self.players().items():
            tensors |= {f"{role}.{name}": value for name, value in player.net.state_dict().items()}
            tensors |= optimizer_tensors(role, player)
        return tensors | {f"sums.{name}": value for name, value in self.sums.items()}

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Become the run that `state` was taken from."""
        try:
            for role, player in self.players().items():
                player.net.load_state_dict(below(tensors, role))
                restore_optimizer(player, below(tensors, f"optimizer.{role}"))
            if self.recipe.ema:
                self.average.load_state_dict(below(tensors, "average"))
        except (RuntimeError, KeyError) as error:
            raise RunFolderError(f"run={self.folder.path} has a checkpoint that does not fit its recipe: {error}") from error
        self.sums = {name: value.to(self.game.device) for name, value in below(tensors, "sums").items()}
        self.counts, self.images_seen = dict(facts["counts"]), facts["images_seen"]
        self.seconds, self._saved_at = facts["seconds"], facts["images_seen"]

    def players(self) -> dict[str, Player]:
        return {"generator": self.game.generator, "discriminator": self.game.discriminator}


def diverged(name: str, value: str, images_seen: int) -> Diverged:
    return Diverged(
        f"{name} became {value} by {images_seen:,} images, so the run stopped; its last checkpoint is from before: "
        "train again with a lower rate, a penalty or another loss"
    )


def optimizer_tensors(role: str, player: Player) -> dict[str, Tensor]:
    """Adam's moments and step counts, by the number of the parameter."""
    states = player.optimizer.state_dict()["state"]
    return {f"optimizer.{role}.{index}.{name}": value for index, state in states.items() for name, value in state.items()}


def restore_optimizer(player: Player, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    player.optimizer.load_state_dict({"state": state, "param_groups": player.optimizer.state_dict()["param_groups"]})


def below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start with `prefix.`, named without it."""
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(prefix + ".")}


def crossed(every: int, before: int, after: int) -> bool:
    """Whether a multiple of `every` above 0 lies in (before, after]."""
    return after > 0 and after // every > max(before, 0) // every


def health(told_apart: float, log_odds: bool) -> str:
    """One plain word. `told_apart` is the mean chance, by the discriminator, that of a real and a fake the real is the real one."""
    if not log_odds:
        return "running"
    if told_apart > 0.98:
        return "one-sided"  # the discriminator is nearly always right: the generator may learn little
    return "fooled" if told_apart < 0.4 else "balanced"
