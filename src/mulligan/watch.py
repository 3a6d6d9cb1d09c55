"""The watch: knows a sick run by its vitals, and says what to do about it. Pure: no files, no clocks, no networks.

Three ways to fall ill. *Diverged*: logits or gradients explode, or are no numbers at all. *Outplayed*: the discriminator has won;
it tells every fake, and what it has left for the generator to follow has vanished. *Collapsed*: whatever the latents, the
generator makes nearly the same sample. The first counts at once, the others when they last: many a healthy run begins that way.
"""

import math
import statistics
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

REMEMBERED = 25  # healthy reports that say what gradients are usual
FEW = 5  # reports: of healthy ones before anything is called unusual, of sick ones before it is called lasting
FEW_STEPS = 200  # of a young network, whose samples are all alike


@dataclass(frozen=True)
class Vitals:
    """What one report knows of the run's health. Means are over the steps taken since the report before."""

    images: int
    total_images: int  # the run's length
    step_images: int
    refused: int  # steps not taken, because something in them was not finite
    streak: int  # of these, how many were the last ones, in a row
    state_finite: bool  # whether every weight, average and moment is
    margin: float  # mean size of the discriminator's margin; not a number when no step was taken
    generator_gradient: float  # geometric mean of the gradient's norm
    discriminator_gradient: float
    told_apart: float
    variety: float  # mean distance between fakes of fixed latents over that between real samples
    nearest: float  # the same of the median distance to the nearest other: small when there are a few kinds only

    def to_json(self) -> dict[str, Any]:
        """For the log: what is finite."""
        names = ("refused", "margin", "generator_gradient", "discriminator_gradient", "variety", "nearest")
        return {name: value for name in names if math.isfinite(value := getattr(self, name))}


@dataclass(frozen=True)
class Alarm:
    """A sickness by name, with the figures in plain words."""

    kind: str  # diverged, outplayed or collapsed
    reason: str


@dataclass
class Memory:
    """What the watch remembers between reports. Plain JSON: it is saved with every checkpoint."""

    healthy_until: int = 0  # images seen at the last report without a symptom
    since: dict[str, int] = field(default_factory=dict)  # symptom: images seen at the report before the first that showed it
    reports: dict[str, int] = field(default_factory=dict)  # symptom: reports in a row that showed it
    told: dict[str, int] = field(default_factory=dict)  # symptom: images seen when it was only told of, last
    usual: dict[str, list[float]] = field(default_factory=dict)  # gradients of the last healthy reports, by player
    largest_generator_gradient: float = 0.0
    largest_variety: float = 0.0  # and of the distance to the nearest, both at most 1
    largest_nearest: float = 0.0
    reported: int = 0  # images seen at the last report


@dataclass(frozen=True)
class Watch:
    """When a run counts as sick, and what is done: go back to where it was healthy, with lower rates, a few times at most.

    `tell` only says so; `stop` ends the run at the first alarm, with exit status 1.
    """

    answer: Literal["go-back", "stop", "tell"] = "go-back"
    most_answers: int = 3  # then the run is given up
    rate_factor: float = 0.3  # of both learning rates, for each time the run goes back; the discriminator's alone when it has won
    refused_in_a_row: int = 8  # steps that were not finite: the run has diverged
    exploding_margin: float = 1e4
    exploding_gradient: float = 1e4  # times what was usual while healthy
    told_apart: float = 0.99  # of fakes, when the discriminator has won ...
    vanishing_gradient: float = 1e-3  # ... and the generator's gradient, over the largest it has had
    fallen_variety: float = 0.3  # collapsed: of the largest variety the run has had ...
    fallen_nearest: float = 0.1  # ... or of the largest distance to the nearest other fake ...
    least_variety: float = 0.07  # ... or of the real samples' variety, at any time
    patience: float = 0.1  # share of the run that the last two sicknesses must last, and at least 5 reports and 200 steps

    def symptoms(self, vitals: Vitals, memory: Memory) -> dict[str, str]:
        """Every sign of sickness in one report: kind and reason."""
        found = {}
        if reason := self.diverging(vitals, memory):
            found["diverged"] = reason
        largest = memory.largest_generator_gradient
        if vitals.told_apart > self.told_apart and vitals.generator_gradient < self.vanishing_gradient * largest:
            found["outplayed"] = (
                f"the discriminator tells {vitals.told_apart:.1%} of the fakes and the generator's gradient has vanished "
                f"({vitals.generator_gradient:.1e}, it has been {largest:.1e})"
            )
        if reason := self.collapsing(vitals, memory):
            found["collapsed"] = reason
        return found

    def collapsing(self, vitals: Vitals, memory: Memory) -> str:
        """In words, or empty."""
        now = f"the fakes differ from each other {vitals.variety:.2g} times as much as the real samples do"
        if vitals.variety < self.least_variety:
            return now
        if vitals.variety < self.fallen_variety * memory.largest_variety:
            return f"{now}; it has been {memory.largest_variety:.2g} times"
        if vitals.nearest < self.fallen_nearest * memory.largest_nearest:
            return (
                f"the fakes are a few kinds only: the nearest two are {vitals.nearest:.2g} times as far apart as real samples; "
                f"it has been {memory.largest_nearest:.2g} times"
            )
        return ""

    def diverging(self, vitals: Vitals, memory: Memory) -> str:
        """In words, or empty."""
        if not vitals.state_finite:
            return "a network holds numbers that are not finite"
        if vitals.streak >= self.refused_in_a_row:
            return f"the last {vitals.streak} steps gave numbers that are not finite, and were not taken"
        if vitals.margin > self.exploding_margin:
            return f"the discriminator's logits have grown to {vitals.margin:.1e}"
        for player, usual in memory.usual.items():
            gradient, median = getattr(vitals, f"{player}_gradient"), statistics.median(usual)
            if len(usual) >= FEW and gradient > self.exploding_gradient * max(median, 1.0):
                return f"the {player}'s gradient has grown to {gradient:.1e}, from {median:.1e}"
        return ""

    def examine(self, vitals: Vitals, memory: Memory) -> tuple[str, Alarm | None]:
        """A health word for one report and, when it is time, an alarm. Changes the memory."""
        symptoms = self.symptoms(vitals, memory)
        memory.largest_generator_gradient = larger(memory.largest_generator_gradient, vitals.generator_gradient)
        memory.largest_variety = larger(memory.largest_variety, min(vitals.variety, 1.0))
        memory.largest_nearest = larger(memory.largest_nearest, min(vitals.nearest, 1.0))
        memory.since = {kind: memory.since.get(kind, memory.reported) for kind in symptoms}
        memory.reports = {kind: memory.reports.get(kind, 0) + 1 for kind in symptoms}
        memory.told = {kind: images for kind, images in memory.told.items() if kind in symptoms}
        memory.reported = vitals.images
        if not symptoms:
            memory.healthy_until = vitals.images
            for player in ("generator", "discriminator"):
                gradient = getattr(vitals, f"{player}_gradient")
                if math.isfinite(gradient):
                    memory.usual[player] = [*memory.usual.get(player, []), gradient][-REMEMBERED:]
            return "", None
        word = ""
        for kind, reason in symptoms.items():
            lasted = vitals.images - memory.since[kind]
            if kind == "diverged":
                return kind, Alarm(kind, reason)
            if memory.reports[kind] >= FEW and lasted >= FEW_STEPS * vitals.step_images:
                word = word or kind
                if lasted >= self.patience * vitals.total_images:
                    return kind, Alarm(kind, reason)
        return word, None

    def factors(self, kind: str) -> dict[str, float]:
        """What an alarm's answer multiplies each player's learning rate with."""
        generator = 1.0 if kind == "outplayed" else self.rate_factor
        return {"generator": generator, "discriminator": self.rate_factor}


def larger(before: float, now: float) -> float:
    """The larger of the two; what is no number does not count."""
    return now if now > before else before


def distances(samples: Tensor) -> tuple[float, float]:
    """Of (N, ...) samples: the mean Euclidean distance between any two, and the median distance to the nearest other."""
    rows = samples.detach().flatten(1).double().cpu()
    count = len(rows)
    if count < 2:
        return math.nan, math.nan
    table = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    mean = float(table.sum()) / (count * (count - 1))
    return mean, float(table.fill_diagonal_(math.inf).min(1).values.median())
