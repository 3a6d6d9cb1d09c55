"""The same thousand modes with a discriminator half as wide as the generator."""

from mulligan.networks import TinyDiscriminator
from mulligan.recipes.stacked_mnist_quarter import RECIPE as QUARTER

RECIPE = QUARTER.with_(name="stacked-mnist-half", discriminator=TinyDiscriminator(4))
