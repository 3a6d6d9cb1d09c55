"""The ring from plain normal latents."""

from mulligan.data import Ring
from mulligan.networks import MlpDiscriminator
from mulligan.recipes.grid_plain import RECIPE as GRID
from mulligan.views import Points

RECIPE = GRID.with_(
    name="ring-plain",
    data=Ring(),
    view=Points(scale=0.71),
    discriminator=MlpDiscriminator((128, 128, 128)),
)
