"""What a run leaves for people to look at: pictures, the strip of real samples, the layer tables, the model."""

import math
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mulligan.evaluate import Judge
from mulligan.game import Game
from mulligan.model import Model, model_facts
from mulligan.networks.batch_memory import held_still
from mulligan.networks.table import layer_table
from mulligan.parts import Dataset
from mulligan.pictures import Scene, tile
from mulligan.rundir import SAMPLES, RunFolder
from mulligan.storage import write_picture
from mulligan.views import Pixels, to_uint8
from mulligan.watch import Vitals, distances

FIXED_SEED = 0  # of the latents whose pictures are compared over time
STRIP = 10  # real samples in the first look at the data
VARIETY_IMAGES, VARIETY_POINTS = 64, 256  # of fakes and of real samples, when their variety is compared
SMALLEST_DISTANCE = 1e-12  # stands for the distance between real samples when they are all the same
SCORED_SAMPLES = 2_500  # as many as VEEGAN's and PacGAN's protocol draws


class Record:
    """Writes pictures and the model of one run; never changes the game."""

    def __init__(self, game: Game, average: nn.Module, data: Dataset, folder: RunFolder, epoch_images: int, judge: Judge | None):
        self.game, self.data, self.folder, self.recipe, self.judge = game, data, folder, game.recipe, judge
        self.model = Model(average, self.recipe.latents, self.recipe.view, data.shape)
        self.epoch_images = epoch_images

    def first_look(self) -> None:
        """Before the first step: a strip of real samples and both layer tables."""
        real = self.data.items[:STRIP]
        if isinstance(self.recipe.view, Pixels):
            write_picture(self.folder.path / "real.png", tile(real.permute(0, 2, 3, 1).numpy(), STRIP))
        latents = torch.zeros(1, self.recipe.latents.size, device=self.game.device)
        sample = self.recipe.view.encode(real[:1].to(self.game.device))
        tables = [
            f"data: {len(self.data):,} samples of shape {' x '.join(map(str, self.data.shape))}\n",
            layer_table("generator", self.game.generator.net, latents),
            layer_table("discriminator", self.game.discriminator.net, sample),
        ]
        self.folder.write("networks.txt", "\n".join(tables))

    def sample(self, images_seen: int, newest_real: Tensor, terms: dict[str, float]) -> None:
        """A picture of the fixed latents, titled with where the run is and what the players pay."""
        epoch, within = divmod(max(images_seen - 1, 0), self.epoch_images)
        batch = within // self.recipe.step_images
        title = f"{images_seen:,} images, epoch {epoch} batch {batch}" + "".join(
            f", {name.split('.')[0]} {value:.3f}" for name, value in terms.items() if name.endswith(".adversarial")
        )
        scene = Scene(
            real=self.shown(newest_real) if isinstance(self.recipe.view, Pixels) else self.data.items.numpy(),
            fake=self.shown_samples(self.recipe.picture.count),
            probability=self.probability,
            title=title,
            images_seen=images_seen,
            epoch=epoch,
            batch=batch,
        )
        picture = self.recipe.picture
        write_picture(self.folder.path / SAMPLES / picture.name(scene), picture.draw(scene))

    def shown(self, stored: Tensor) -> np.ndarray:
        return stored.permute(0, 2, 3, 1).cpu().numpy()

    def shown_samples(self, count: int) -> np.ndarray:
        samples = self.model.sample(count, FIXED_SEED)
        return to_uint8(samples) if isinstance(self.recipe.view, Pixels) else samples.numpy()

    @torch.no_grad()
    def probability(self, points: np.ndarray) -> np.ndarray:
        """(M, 2) points in the units of the data -> (M,) how strongly the discriminator holds each for real."""
        net = self.game.discriminator.net
        net.eval()
        try:
            seen = self.recipe.view.encode(torch.from_numpy(points)).to(self.game.device)
            return torch.sigmoid(self.game.loss.margin(self.game.score(seen))).cpu().numpy()
        finally:
            net.train()

    def event(self, images_seen: int, seconds: float, means: dict[str, float], vitals: Vitals, word: str) -> dict[str, Any]:
        """One report as it stands in the log; `word` is what the watch says of its health, if anything."""
        players = {"generator": self.game.generator, "discriminator": self.game.discriminator}
        rates = {name: float(player.optimizer.param_groups[0]["lr"]) for name, player in players.items()}
        event: dict[str, Any] = {
            "images": images_seen,
            "seconds": round(seconds, 3),
            "terms": {name: value for name, value in means.items() if "." in name and math.isfinite(value)},
            "rates": rates | {"images_per_second": images_seen / max(seconds, 1e-9)},
            "vitals": vitals.to_json(),
            "health": word or health(vitals.told_apart, self.game.loss.log_odds),
        }
        if math.isfinite(vitals.told_apart):
            event["told_apart"] = vitals.told_apart
        return event

    def vitals(self, images_seen: int, means: dict[str, float], counts: dict[str, int], state_finite: bool) -> Vitals:
        """What the watch looks at."""
        variety, nearest = self.variety() if self.recipe.watch else (math.nan, math.nan)
        return Vitals(
            images=images_seen,
            total_images=self.recipe.images,
            step_images=self.recipe.step_images,
            refused=counts["refused"],
            streak=counts["streak"],
            state_finite=state_finite,
            margin=means.get("margin", math.nan),
            generator_gradient=math.exp(means.get("generator_log_gradient", math.nan)),
            discriminator_gradient=math.exp(means.get("discriminator_log_gradient", math.nan)),
            told_apart=means.get("told_apart", math.nan),
            variety=variety,
            nearest=nearest,
        )

    def scores(self, *, due: bool) -> dict[str, Any]:
        """`scores` and their `passport`: by the recipe's scoring when it is due, else against what is known about the data."""
        made = {"truncation": 1.0, "seed": FIXED_SEED, "generator": "averaged" if self.recipe.ema else "raw"}
        if self.judge and due:
            fakes = self.model.stored_samples(self.judge.count, FIXED_SEED)
            measured = self.judge.measure(fakes) if torch.isfinite(fakes).all() else {}
            values = {name: value for name, (value, _) in measured.items() if math.isfinite(value)}
            return {"scores": values, "passport": self.judge.passport(self.judge.count) | made}
        if self.judge or self.data.truth is None:
            return {}
        samples = self.model.stored_samples(SCORED_SAMPLES, FIXED_SEED)
        return {"scores": self.data.truth.scores(samples.numpy()), "passport": {"n_fake": len(samples), "split": "exact"} | made}

    def model_facts(self) -> dict[str, Any]:
        """What stands beside the generator's weights, so that it can be rebuilt."""
        return model_facts(self.recipe.generator, self.recipe.latents, self.recipe.view, self.data.shape)

    @torch.no_grad()
    def variety(self) -> tuple[float, float]:
        """How far fakes of fixed latents are from each other, and from their nearest, over the same of real samples."""
        latents = self.game.draw(self.compared, np.random.default_rng(FIXED_SEED))
        with held_still(self.game.generator.net):
            fake = distances(self.game.generate(latents))
        mean, nearest = (ours / max(real, SMALLEST_DISTANCE) for ours, real in zip(fake, self.real_distances, strict=True))
        return mean, nearest

    @property
    def compared(self) -> int:
        return VARIETY_POINTS if len(self.data.shape) == 1 else VARIETY_IMAGES

    @cached_property
    def real_distances(self) -> tuple[float, float]:
        chosen = torch.from_numpy(np.random.default_rng(FIXED_SEED).permutation(len(self.data))[: self.compared])
        return distances(self.recipe.view.encode(self.data.items[chosen]))


def health(told_apart: float, log_odds: bool) -> str:
    """One plain word. `told_apart` is the mean chance, by the discriminator, that of a real and a fake the real is the real one."""
    if not log_odds:
        return "running"
    if told_apart > 0.98:
        return "one-sided"  # the discriminator is nearly always right: the generator may learn little
    return "fooled" if told_apart < 0.4 else "balanced"
