"""A run's every choice as one frozen value: checked when made, JSON both ways."""

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any, Literal

from mulligan import codec
from mulligan.data import Source
from mulligan.ema import Ema
from mulligan.errors import RecipeError
from mulligan.features import Features
from mulligan.latents import LatentsSpec
from mulligan.losses import Loss
from mulligan.networks import Constraint, Discriminator, Generator
from mulligan.penalties import Penalty
from mulligan.pictures import Picture
from mulligan.schedules import Schedule, crossed, value_at
from mulligan.views import View
from mulligan.watch import Watch

MOST = 10**15  # of anything that is counted
MOST_SHOWN = 65_536  # samples in one picture


@dataclass(frozen=True)
class Adam:
    """Adam (arXiv:1412.6980); `rate` may be a schedule over the run's progress."""

    rate: Schedule = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    epsilon: float = 1e-8


@dataclass(frozen=True)
class Scoring:
    """Scores measured while training: of the averaged generator, against samples that it is not trained on."""

    every_images: int = 50_000  # at the next report
    metrics: tuple[Literal["fd", "fd-infinity", "kid", "pr", "dc", "swd", "is", "memory", "modes"], ...] = ("fd",)
    features: Features | None = None  # None: a classifier of the labels, pixels where there are none, points as they are
    count: int = 2_000  # fakes, and at most as many real samples

    def __post_init__(self) -> None:
        for name, value, least in (("every_images", self.every_images, 1), ("count", self.count, 20)):
            if not least <= value <= MOST:
                raise RecipeError(f"scoring.{name}={value} is not possible; use {least} or more")

    def due(self, since: int, images_seen: int, end: int) -> bool:
        """Whether to measure at a report, the one before having been at `since`."""
        return images_seen >= end or crossed(self.every_images, since, images_seen)


@dataclass(frozen=True)
class Best:
    """Which score says that one moment is better than another; its checkpoint is kept."""

    score: str
    larger: bool = True  # whether a larger value is better
    patience_images: int | None = None  # end the run when no score has been better for as many images

    def beats(self, value: float, other: float) -> bool:
        return value > other if self.larger else value < other


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a run does, from the data to the pictures. `with_` makes variants; so does any flag of `mulligan train`."""

    name: str
    data: Source
    held_out: float = 0.05  # share of the data that is kept for scores and never trained on, where it has no test split
    image_size: int | None = None  # side of the square that images are brought to; None: as stored, or points
    view: View  # how the networks see the data
    latents: LatentsSpec
    generator: Generator
    discriminator: Discriminator
    loss: Loss
    discriminator_penalties: tuple[Penalty, ...] = ()
    discriminator_constraints: tuple[Constraint, ...] = ()
    generator_optimizer: Adam = Adam()
    discriminator_optimizer: Adam = Adam()
    discriminator_updates: int = 1  # per step, each with a fresh batch of real samples
    generator_updates: int = 1  # per step, after the discriminator's
    generator_updates_share_latents: bool = False  # one draw for all generator updates of a step (CNTK's tutorial)
    ema: Ema | None = None  # None: the newest generator makes the pictures
    batch: int
    whole_batches: bool = False  # skip the last, partial batch of each epoch
    images: int  # length of the run in real images seen
    micro_batch: int | None = None  # samples that go through a network at a time, with the whole batch's result; None: all
    precision: Literal["float32", "bfloat16", "auto"] = "float32"  # of what the networks compute; the rest stays in float32
    channels_last: bool = True  # images are kept pixel by pixel in memory, as convolutions like it
    threads: int | None = None  # CPU threads; None: found by trying
    exact: bool = False  # nothing is tried again on a machine that got busy: the same run again has the same numbers
    graphs: bool = True  # record the step as a CUDA graph where there is CUDA, and play it from there
    compile: bool = False  # torch.compile, for the passes that it can differentiate; needs a compiler, pays on a GPU
    picture: Picture
    report_every_images: int
    sample_every_images: int
    checkpoint_every_images: int
    keep_checkpoints: int = 3
    scoring: Scoring | None = None  # measure scores now and then (points of a known distribution: at each report, in any case)
    best: Best | None = None  # keep the checkpoint with the best value of a score, too
    watch: Watch | None = Watch()  # None: nobody looks after the run's health
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"batch": 1, "images": 1, "discriminator_updates": 1, "generator_updates": 1, "seed": 0, "keep_checkpoints": 1}
        least |= dict.fromkeys(("report_every_images", "sample_every_images", "checkpoint_every_images"), 1)
        for name, bound in least.items():
            if not isinstance(getattr(self, name), int) or getattr(self, name) < bound:
                raise RecipeError(f"{name}={getattr(self, name)} is too small or no whole number; use {bound} or more")
            if getattr(self, name) > MOST:
                raise RecipeError(f"{name}={getattr(self, name)} is too large; use {MOST:,} or less")
        for name, most in (("image_size", 4_096), ("threads", 4_096), ("micro_batch", MOST)):
            if (value := getattr(self, name)) is not None and not 1 <= value <= most:
                raise RecipeError(f"{name}={value} is not possible; use 1 to {most:,}, or none")
        if not 0 <= self.held_out <= 0.5:
            raise RecipeError(f"held_out={self.held_out} is not possible; give a share from 0 to 0.5")
        if self.best and self.best.patience_images is not None and self.best.patience_images < 1:
            raise RecipeError(f"best.patience_images={self.best.patience_images} is too small; use 1 or more, or none")
        if self.picture.count > MOST_SHOWN:
            raise RecipeError(f"picture={self.picture} shows {self.picture.count:,} samples; use {MOST_SHOWN:,} or less")
        for name in ("generator_optimizer", "discriminator_optimizer"):
            rate = getattr(self, name).rate
            values = [value_at(rate, progress) for progress in (0.0, 0.5, 1.0)]
            if not all(math.isfinite(value) and value >= 0 for value in values) or max(values) == 0:
                raise RecipeError(f"{name}.rate={rate} is not positive; use a number such as 2e-4")

        names = ["adversarial", *(penalty.name for penalty in self.discriminator_penalties)]
        if twice := {name for name in names if names.count(name) > 1}:
            raise RecipeError(f"discriminator_penalties has {min(twice)} twice, and terms go by name; give one of each")

    @property
    def step_images(self) -> int:
        """Real images seen in one step."""
        return self.batch * self.discriminator_updates

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in codec.encode(self).items() if name != "type"}

    def save_text(self) -> str:
        return json.dumps(self.to_json(), indent=2)

    @classmethod
    def from_json(cls, data: Any) -> "Recipe":
        """The recipe that `to_json` gave; RecipeError for anything else. Runs no code that the file names."""
        return codec.decode(cls, data, "recipe")

    def with_(self, **changes: Any) -> "Recipe":
        """A copy with some fields changed; RecipeError for a name that is no field."""
        names = {field.name for field in dataclasses.fields(self)}
        for name in changes.keys() - names:
            raise RecipeError(f"a recipe has no field {name}; it has {', '.join(sorted(names))}")
        return dataclasses.replace(self, **changes)
