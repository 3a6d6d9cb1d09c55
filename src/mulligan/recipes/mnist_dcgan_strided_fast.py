"""The quick mode of CNTK tutorial 206B: 5,000 iterations instead of 10,000, and reports twice as often."""

from mulligan.recipes.mnist_dcgan_strided import FULL, ITERATION
from mulligan.recipes.mnist_dcgan_strided import RECIPE as FULL_RECIPE

FAST = FULL // 2

RECIPE = FULL_RECIPE.with_(
    name="mnist-dcgan-strided-fast",
    images=FAST * ITERATION,
    report_every_images=FAST // 25 * ITERATION,
    sample_every_images=FAST // 25 * ITERATION,
)
