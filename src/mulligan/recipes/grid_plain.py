"""The grid from plain normal latents, as most papers have it: a deeper generator, which can tear the plane apart more sharply."""

from mulligan.latents import Normal
from mulligan.networks import MlpGenerator
from mulligan.recipes.grid import RECIPE as GRID

RECIPE = GRID.with_(
    name="grid-plain",
    latents=Normal(2),
    generator=MlpGenerator((128, 128, 128, 128), activation="leaky-relu", output="linear"),
)
