"""What a run does when the watch raises an alarm: say so, go back to where it was healthy, or give up."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mulligan.errors import Collapsed, Diverged, Outplayed, Sick
from mulligan.game import Game
from mulligan.watch import Memory, Vitals, Watch

ERRORS: dict[str, type[Sick]] = {"diverged": Diverged, "outplayed": Outplayed, "collapsed": Collapsed}
ADVICE = {
    "diverged": "lower the learning rates, add a penalty such as --discriminator-penalties r1, or choose another loss",
    "outplayed": "lower the discriminator's learning rate, make it smaller, or use --loss relativistic-pairing",
    "collapsed": "try --loss relativistic-pairing --discriminator-penalties r1 r2, lower learning rates, or a larger batch",
}


@dataclass(frozen=True)
class Answer:
    """What was done about an alarm; written into the log and into every checkpoint after it."""

    kind: str
    reason: str
    action: str  # tell, go-back or give-up
    images: int  # seen at the alarm
    back_to: int | None  # images seen at the checkpoint that the run went back to
    rate_factors: dict[str, float]  # what each player's learning rate is multiplied with from here on, all in all

    def line(self) -> str:
        """For people."""
        found = f"{self.kind} at {self.images:,} images: {self.reason}"
        if self.action == "go-back":
            factors = ", ".join(f"{role}'s learning rate x {factor:.3g}" for role, factor in self.rate_factors.items())
            return f"{found}; going back to {self.back_to:,} images, from there with the {factors}"
        return found

    def error(self) -> Sick:
        kept = f"; its checkpoint of {self.back_to:,} images is healthy" if self.back_to is not None else ""
        return ERRORS[self.kind](f"the run {self.line()}{kept}; train again: {ADVICE[self.kind]}")


class Recovery:
    """The watch of one run: its memory, and what has been answered so far."""

    def __init__(self, watch: Watch | None):
        self.watch = watch
        self.memory = Memory()
        self.answers: list[Answer] = []

    def examine(self, vitals: Vitals, newest_until: Callable[[int], int | None]) -> tuple[str, Answer | None]:
        """A health word, empty when there is nothing to say, and an answer when there is an alarm.

        `newest_until` finds the newest checkpoint of a moment or before, by images seen.
        """
        watch = self.watch or LAST_RESORT
        word, alarm = watch.examine(vitals, self.memory)
        if alarm is None:
            return word, None
        factors = self.factors()
        if watch.answer == "tell" and vitals.state_finite:
            if vitals.images - self.memory.told.get(alarm.kind, -vitals.total_images) < watch.patience * vitals.total_images:
                return word, None
            self.memory.told[alarm.kind] = vitals.images
            return word, Answer(alarm.kind, alarm.reason, "tell", vitals.images, None, factors)
        back_to = newest_until(self.memory.healthy_until)
        times = sum(answer.action == "go-back" for answer in self.answers)
        if watch.answer != "go-back" or times >= watch.most_answers or back_to is None:
            tried = f", {times} times in spite of milder settings" if times else ""
            return word, Answer(alarm.kind, alarm.reason + tried, "give-up", vitals.images, back_to, factors)
        factors = {role: factors[role] * factor for role, factor in watch.factors(alarm.kind).items()}
        answer = Answer(alarm.kind, alarm.reason, "go-back", vitals.images, back_to, factors)
        self.answers = [*self.answers, answer]
        return word, answer

    def factors(self) -> dict[str, float]:
        """What the answers so far have made of the learning rates."""
        return dict(self.answers[-1].rate_factors) if self.answers else {"generator": 1.0, "discriminator": 1.0}

    def make_milder(self, game: Game) -> None:
        factors = self.factors()
        game.generator.rate_factor, game.discriminator.rate_factor = factors["generator"], factors["discriminator"]

    def to_json(self) -> dict[str, Any]:
        return {"memory": asdict(self.memory), "answers": [asdict(answer) for answer in self.answers]}

    def restore(self, data: Mapping[str, Any]) -> None:
        self.memory = Memory(**data["memory"])
        self.answers = [Answer(**answer) for answer in data["answers"]]


INFINITE = float("inf")
LAST_RESORT = Watch(  # for a run without a watch: only numbers that are none end it
    "stop",
    exploding_margin=INFINITE,
    exploding_gradient=INFINITE,
    told_apart=INFINITE,
    fallen_variety=0.0,
    fallen_nearest=0.0,
    least_variety=0.0,
)
