"""The PaddlePaddle Fluid book, chapter 9: a DCGAN with max pooling, two generator updates for one of the discriminator."""

from mulligan.data import Mnist
from mulligan.latents import Uniform
from mulligan.losses import NonSaturating
from mulligan.networks import PooledDiscriminator, PooledGenerator
from mulligan.pictures import RealAboveFake
from mulligan.recipe import Adam, Recipe
from mulligan.views import Pixels

EPOCH = 60_000 // 128 * 128  # the last partial batch is skipped

RECIPE = Recipe(
    name="mnist-dcgan-pooled",
    data=Mnist(),
    view=Pixels(-1.0, 1.0),
    latents=Uniform(100),
    generator=PooledGenerator(),
    # repaired: the source put a sigmoid before a sigmoid cross entropy; --discriminator.second-sigmoid True brings it back
    discriminator=PooledDiscriminator(),
    loss=NonSaturating(),
    generator_optimizer=Adam(2e-4, 0.9, 0.999),
    discriminator_optimizer=Adam(2e-4, 0.9, 0.999),
    generator_updates=2,
    batch=128,
    whole_batches=True,
    images=20 * EPOCH,
    precision="auto",
    picture=RealAboveFake(128),
    report_every_images=10 * 128,
    sample_every_images=10 * 128,
    checkpoint_every_images=100 * 128,
)
