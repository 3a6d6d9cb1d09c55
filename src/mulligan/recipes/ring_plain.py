"""The ring from plain normal latents, by the grid's switch."""

from mulligan.latents import Normal
from mulligan.networks import SwitchGenerator
from mulligan.recipes.ring import RECIPE as RING

RECIPE = RING.with_(name="ring-plain", latents=Normal(72), generator=SwitchGenerator((128, 128, 128), choices=64, width=0.027))
