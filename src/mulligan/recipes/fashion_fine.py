"""The patient recipe on pictures of clothes."""

from mulligan.data import FashionMnist
from mulligan.recipes.mnist_fine import RECIPE as MNIST_FINE

RECIPE = MNIST_FINE.with_(name="fashion-fine", data=FashionMnist())
