"""The default with patience: a discriminator twice as wide, lower rates that fall from the start, even penalties.

The quick recipe's high rate is for minutes: kept up for a million images it lets the discriminator go flat.
"""

from mulligan.networks import DcganDiscriminator
from mulligan.penalties import R1, R2
from mulligan.recipe import Adam
from mulligan.recipes.mnist import RECIPE as MNIST
from mulligan.schedules import Linear

RECIPE = MNIST.with_(
    name="mnist-fine",
    discriminator=DcganDiscriminator(64),
    discriminator_penalties=(R1(1.0), R2(1.0)),
    generator_optimizer=Adam(Linear(1e-3, 0.0), 0.0, 0.99),
    discriminator_optimizer=Adam(Linear(1e-3, 0.0), 0.0, 0.99),
    images=400_000,
    sample_every_images=40_000,
    checkpoint_every_images=40_000,
)
