"""CNTK tutorial 206B: a DCGAN with strided convolutions, two discriminator and two generator updates per iteration."""

from mulligan.data import Mnist
from mulligan.latents import Uniform
from mulligan.losses import NonSaturating
from mulligan.networks import StridedDiscriminator, StridedGenerator
from mulligan.pictures import ImageGrid
from mulligan.recipe import Adam, Recipe
from mulligan.views import Pixels

ITERATION = 2 * 128  # real images: each of the two discriminator updates has its own batch
FULL = 10_000  # iterations

RECIPE = Recipe(
    name="mnist-dcgan-strided",
    data=Mnist(),
    view=Pixels(0.0, 1.0),
    latents=Uniform(100),
    generator=StridedGenerator(),
    discriminator=StridedDiscriminator(),
    loss=NonSaturating(generator_offset=1.0),  # quirk: it prints 1 - log D(G(z)); the 1 changes no gradient
    generator_optimizer=Adam(2e-4, 0.5, 0.999),
    discriminator_optimizer=Adam(2e-4, 0.5, 0.999),
    discriminator_updates=2,
    generator_updates=2,
    generator_updates_share_latents=True,  # quirk: both generator updates see the same latents
    batch=128,
    images=FULL * ITERATION,
    precision="auto",
    picture=ImageGrid(6, 6),
    report_every_images=FULL // 25 * ITERATION,
    sample_every_images=FULL // 25 * ITERATION,
    checkpoint_every_images=200 * ITERATION,
    seed=123,  # the tutorial's
)
