"""The grid from plain normal latents: the generator's first layer is a switch, which parts the plane where the modes are parted."""

from mulligan.latents import Normal
from mulligan.networks import SwitchGenerator
from mulligan.recipes.grid import RECIPE as GRID

RECIPE = GRID.with_(name="grid-plain", latents=Normal(108), generator=SwitchGenerator((128, 128), choices=100))
