"""The default pair on Fashion-MNIST."""

from mulligan.data import FashionMnist
from mulligan.recipes.mnist import RECIPE as MNIST

RECIPE = MNIST.with_(name="fashion", data=FashionMnist())
