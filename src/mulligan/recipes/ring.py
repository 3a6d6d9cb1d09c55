"""Eight Gaussians on a circle: the grid's game at another scale, with one more layer on each side for modes five times tighter."""

from mulligan.data import Ring
from mulligan.networks import MlpDiscriminator, MlpGenerator
from mulligan.recipes.grid import RECIPE as GRID
from mulligan.views import Points

RECIPE = GRID.with_(
    name="ring",
    data=Ring(),
    view=Points(scale=0.71),  # the standard deviation of a coordinate
    generator=MlpGenerator((128, 128, 128), activation="leaky-relu", output="linear"),
    discriminator=MlpDiscriminator((128, 128, 128)),
)
