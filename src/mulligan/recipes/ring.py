"""Eight Gaussians on a circle: the grid's game at another scale, with one more layer on each side for modes five times tighter."""

from mulligan.data import Ring
from mulligan.latents import NormalMixture
from mulligan.networks import MlpDiscriminator, MlpGenerator
from mulligan.penalties import R1, R2
from mulligan.recipes.grid import RECIPE as GRID
from mulligan.schedules import Cosine
from mulligan.views import Points

RECIPE = GRID.with_(
    name="ring",
    data=Ring(),
    view=Points(scale=0.71),  # the standard deviation of a coordinate
    latents=NormalMixture(size=8, centres=64, width=0.027),
    generator=MlpGenerator((128, 128, 128), activation="leaky-relu", output="linear"),
    discriminator=MlpDiscriminator((128, 128, 128)),
    discriminator_penalties=(R1(Cosine(0.05, 0.005)), R2(Cosine(0.05, 0.005))),
    images=1_500_000,
)
