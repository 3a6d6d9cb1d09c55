"""The loop: upkeep, exit test, work. Everything random is a function of (seed, images seen), so a resumed run is the same run."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from mulligan.best import BestSoFar
from mulligan.data import Stream
from mulligan.ema import averaged_copy, move_average
from mulligan.errors import RunFolderError, Stopped, StorageError, TimeUp
from mulligan.evaluate import Judge
from mulligan.game import Game, Moment
from mulligan.graphs import CudaRecorder, Recorded
from mulligan.keeper import Keeper, Snapshot
from mulligan.parts import Dataset
from mulligan.record import Record
from mulligan.recovery import Answer, Recovery
from mulligan.rundir import RunFolder
from mulligan.schedules import crossed
from mulligan.state import all_finite, below, game_tensors, restore_game
from mulligan.step import deal, play
from mulligan.tally import Tally
from mulligan.threads import Pace, find_threads

Listener = Callable[[dict[str, Any]], None]  # is told of every event as it is written
SLOW_STEP = 1.0  # seconds; before a step that takes longer, a snapshot is held ready for whoever asks to stop


class Training:
    """A run under way: the game, its data, its folder and how far it has come."""

    def __init__(
        self, game: Game, data: Dataset, stream: Stream, folder: RunFolder, listener: Listener, judge: Judge | None = None
    ):
        self.game, self.recipe, self.data, self.stream = game, game.recipe, data, stream
        self.folder, self.listener = folder, listener
        self.average = averaged_copy(game.generator.net) if self.recipe.ema else game.generator.net
        self.record = Record(game, self.average, data, folder, stream.epoch_images, judge)
        self.keeper = Keeper(folder, self.recipe.keep_checkpoints, self.tell)
        self.recovery = Recovery(self.recipe.watch)
        self.tally = Tally(game.device)
        self.images_seen = 0
        self.steps_since_report = 0
        self.best = BestSoFar(self.recipe.best)
        self.pace = Pace()
        self.recorded = Recorded(game, CudaRecorder(), self.tell) if game.device.type == "cuda" and self.recipe.graphs else None
        self.seconds = 0.0
        self.deadline = math.inf  # on the monotonic clock
        self.stop: type[Stopped] | None = None
        self._standby: Snapshot | None = None  # what is written at once when a long step is asked to stop
        self._standby_lock = threading.Lock()
        self._slow = False
        self._started = self._reported_at = time.monotonic()
        self._saved_at = -1

    def run(self) -> None:
        """Train to the recipe's end; Stopped when that was asked for, with everything saved, and Sick when the watch gives up."""
        recipe = self.recipe
        self._reported_at = time.monotonic()
        self._started = self._reported_at - self.seconds
        if self.images_seen == 0:
            self.keeper.attempt(lambda: self.record.sample(0, self.newest_real(), {}))
        while True:
            before = self.images_seen - recipe.step_images
            ended = self.images_seen >= recipe.images or self.best.out_of_patience(self.images_seen)
            if time.monotonic() > self.deadline:
                self.ask_to_stop(TimeUp)
            report_due = ended or crossed(recipe.report_every_images, before, self.images_seen)
            if report_due and self.steps_since_report and not self.report():
                continue  # the run went back to where it was healthy
            last = ended or self.stop is not None
            save_due = last or self.images_seen in (0, self.best.images)
            if (save_due or crossed(recipe.checkpoint_every_images, before, self.images_seen)) and not self.save(last=last):
                continue
            if ended:
                return
            if self.stop:
                raise self.stop(
                    f"stopped at {self.images_seen:,} of {recipe.images:,} images, saved; "
                    f"go on with `mulligan resume {self.folder.path}`"
                )
            self.stand_by()
            if self.stop:  # asked meanwhile: a long step is not begun
                self.save_standby()
                continue
            self.step()
            self.keeper.check()
            if self.images_seen >= recipe.images or crossed(
                recipe.sample_every_images, self.images_seen - recipe.step_images, self.images_seen
            ):
                self.keeper.attempt(lambda: self.record.sample(self.images_seen, self.newest_real(), self.tally.read()[0]))

    def ask_to_stop(self, reason: type[Stopped] = Stopped) -> None:
        """After the step under way, save and raise."""
        self.stop = self.stop or reason

    def stand_by(self) -> None:
        """Before a step that will take long: hold a snapshot ready."""
        if self._slow and self.healthy_tensors():
            self._standby = self.snapshot()

    def save_standby(self) -> None:
        """Should the step under way be a long one, save what was before it, now; any thread may ask."""
        with self._standby_lock:
            if self._standby:
                self.keeper.hand_over(self._standby)
                self._saved_at, self._standby = self._standby.images_seen, None

    def step(self) -> None:
        recipe, started = self.recipe, time.monotonic()
        number = self.images_seen // recipe.step_images
        progress = min(self.images_seen / recipe.images, 1.0)
        moment = Moment(recipe.seed, self.images_seen, progress, number * recipe.discriminator_updates)
        hand, held = deal(self.game, self.batches(), moment), self.game.micro_batch
        step = self.recorded(hand, moment) if self.recorded else play(self.game, hand, moment)
        if self.game.micro_batch != held:
            self.tell(f"out of memory: from here on {self.game.micro_batch} samples at a time, with the whole batch's result")
        self.tally.add(step)
        self.steps_since_report += 1
        self.images_seen += recipe.step_images
        if recipe.ema:
            weight = recipe.ema.weight(self.images_seen, recipe.step_images)
            look = self.game.device.type == "cpu"  # where looking costs nothing
            move_average(self.average, self.game.generator.net, weight, step.sound, look=look)
        with self._standby_lock:  # a state that is no longer the newest is never written
            self._standby, self._slow = None, time.monotonic() - started > SLOW_STEP

    def batches(self) -> Iterator[Tensor]:
        """The real batches of this step, as the networks see them."""
        position = self.images_seen
        while True:
            yield self.recipe.view.encode(self.stream.at(position))
            position += self.recipe.batch

    def newest_real(self) -> Tensor:
        """The last batch that was shown, as stored (before the first step: the first)."""
        return self.stream.at(max(self.images_seen - self.recipe.batch, 0))

    # reports, and what they lead to

    def report(self) -> bool:
        """One line in the log: the means since the last one. False when the watch sent the run back."""
        means, counts = self.tally.read()
        self.seconds = time.monotonic() - self._started
        vitals = self.record.vitals(self.images_seen, means, counts, self.healthy_tensors())
        word, answer = self.recovery.examine(vitals, self.keeper.newest_until)
        event = self.record.event(self.images_seen, self.seconds, means, vitals, word)
        if vitals.state_finite:
            event |= self.record.scores(due=self.scoring_due())
        event["threads"] = torch.get_num_threads()
        if answer:
            event["alarm"] = asdict(answer)
        else:
            self.best.note(event.get("scores", {}), self.images_seen)
        self.keeper.log(event)
        self.listener(event)
        rate = self.steps_since_report * self.recipe.step_images / max(time.monotonic() - self._reported_at, 1e-9)
        self.tally.clear()
        self.steps_since_report = 0
        if answer:
            return self.follow(answer)
        self.keep_pace(rate)
        self._reported_at = time.monotonic()
        return True

    def keep_pace(self, rate: float) -> None:
        """Try the threads again when the run has become slow for long, unless the recipe sets them or asks for exactness."""
        free = self.recipe.threads is None and not self.recipe.exact and self.game.device.type == "cpu"
        held = torch.get_num_threads()
        if free and self.pace.note(rate) and (trial := find_threads(self.game, self.batches, self.images_seen, held)):
            self.tell(f"slow for long, so {trial.line()}")
            if trial.best != held:
                self.save()  # whoever resumes does so from here, where the number changed

    def scoring_due(self) -> bool:
        """Whether the recipe's scores are to be measured at the report now."""
        since, scoring = self.images_seen - self.steps_since_report * self.recipe.step_images, self.recipe.scoring
        return scoring is not None and scoring.due(since, self.images_seen, self.recipe.images)

    def follow(self, answer: Answer) -> bool:
        """Do what the watch answered: True when the run goes on as it is, False when it went back; raises when it is given up."""
        self.tell(answer.line())
        if answer.action == "tell":
            return True
        if answer.back_to is not None:
            try:
                tensors, facts, _ = self.folder.newest_checkpoint(until=answer.back_to)
            except RunFolderError as error:
                raise answer.error() from error
            answers, logged = self.recovery.answers, self.keeper.logged
            self.restore(tensors, facts)
            self.recovery.answers, self.keeper.logged = answers, logged
            self.recovery.memory.healthy_until = max(self.recovery.memory.healthy_until, self.images_seen)
            self.recovery.make_milder(self.game)
            self.seconds = time.monotonic() - self._started
            # in this order a kill in between does no harm: the sick checkpoints lead to the same answer again
            self.keeper.save_now(self.snapshot())
            self.folder.drop_checkpoints_after(self.images_seen)
        if answer.action == "give-up":
            raise answer.error()
        return False

    def tell(self, text: str) -> None:
        self.listener({"notice": text})

    # everything that a run needs to go on, as tensors and JSON

    def save(self, *, last: bool = False) -> bool:
        """Save what there is, beside the training; wait for it when it is the `last`. False when the watch sent the run back."""
        if self.images_seen != self._saved_at:
            if not self.healthy_tensors():
                return self.report()  # a sick state is never saved: the watch will see why
            self.seconds = time.monotonic() - self._started
            self.keeper.save(self.snapshot())
            self._saved_at = self.images_seen
        if last:
            self.keeper.writer.wait()
            if trouble := self.keeper.writer.take_trouble():
                raise StorageError(
                    f"{trouble}; the last good checkpoint is intact, `mulligan resume {self.folder.path}` goes on from it"
                )
        return True

    def healthy_tensors(self) -> bool:
        return all_finite(game_tensors(self.game, self.average))

    def snapshot(self) -> Snapshot:
        """The run as it stands: copies, so that the training can go on while they are written."""
        tensors = {name: value.clone() for name, value in game_tensors(self.game, self.average).items()}
        model = below(tensors, "average" if self.recipe.ema else "generator")
        tensors |= {f"sums.{name}": value.clone() for name, value in self.tally.sums.items()}
        facts = {
            "images_seen": self.images_seen,
            "seconds": self.seconds,
            "steps_since_report": self.steps_since_report,
            "events": self.keeper.logged,
            "best": self.best.facts,
            "recovery": self.recovery.to_json(),
            "threads": torch.get_num_threads(),
            "micro_batch": self.game.micro_batch,
        }
        healthy_until = self.recovery.memory.healthy_until
        return Snapshot(self.images_seen, tensors, facts, model, self.record.model_facts(), self.best.images, healthy_until)

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Become the run that a snapshot was taken from."""
        try:
            restore_game(self.game, self.average, tensors)
            self.tally.sums = {name: value.to(self.game.device) for name, value in below(tensors, "sums").items()}
            self.images_seen = self._saved_at = int(facts["images_seen"])
            self.seconds, self.steps_since_report = float(facts["seconds"]), int(facts["steps_since_report"])
            self.keeper.logged = int(facts["events"])
            self.best.restore(facts["best"])
            self.recovery.restore(facts["recovery"])
            self.game.micro_batch = max(1, min(self.game.micro_batch, int(facts["micro_batch"])))
        except (RuntimeError, LookupError, TypeError, ValueError) as error:
            raise RunFolderError(f"run={self.folder.path} has a checkpoint that does not fit its recipe: {error}") from error
        self.recovery.make_milder(self.game)
        if self.recorded:
            self.recorded.forget()
