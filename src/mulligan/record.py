"""What a run leaves for people to look at: pictures, the strip of real samples, the layer tables, the model."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mulligan.game import Game
from mulligan.model import Model, model_facts
from mulligan.networks.table import layer_table
from mulligan.parts import Dataset
from mulligan.pictures import Scene, tile
from mulligan.rundir import SAMPLES, RunFolder, write_picture
from mulligan.views import Pixels, to_uint8

FIXED_SEED = 0  # of the latents whose pictures are compared over time
STRIP = 10  # real samples in the first look at the data
SCORED_POINTS = 2_500  # as many as VEEGAN's and PacGAN's protocol draws


class Record:
    """Writes pictures and the model of one run; never changes the game."""

    def __init__(self, game: Game, average: nn.Module, data: Dataset, folder: RunFolder, epoch_images: int):
        self.game, self.data, self.folder, self.recipe = game, data, folder, game.recipe
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

    def scores(self) -> dict[str, float]:
        """Against what is known about the data; empty when nothing is."""
        if self.data.truth is None:
            return {}
        return self.data.truth.scores(self.model.sample(SCORED_POINTS, FIXED_SEED).numpy())

    def passport(self) -> dict[str, Any]:
        generator = "averaged" if self.recipe.ema else "raw"
        return {"n_fake": SCORED_POINTS, "reference": "exact distribution", "seed": FIXED_SEED, "generator": generator}

    def save_model(self) -> None:
        recipe = self.recipe
        facts = model_facts(recipe.generator, recipe.latents, recipe.view, self.data.shape)
        self.folder.save_model(self.model.net.state_dict(), facts)
