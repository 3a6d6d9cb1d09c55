"""The default: digits in a minute, good ones in five, on two CPU cores."""

from mulligan.data import Mnist
from mulligan.ema import Ema
from mulligan.latents import Normal
from mulligan.losses import RelativisticPairing
from mulligan.networks import DcganDiscriminator, DcganGenerator
from mulligan.penalties import R1, R2
from mulligan.pictures import ImageGrid
from mulligan.recipe import Adam, Recipe
from mulligan.schedules import Cosine, Linear
from mulligan.views import Pixels

RECIPE = Recipe(
    name="mnist",
    data=Mnist(),
    view=Pixels(-1.0, 1.0),
    latents=Normal(64),
    generator=DcganGenerator(64),
    discriminator=DcganDiscriminator(32),
    loss=RelativisticPairing(),
    discriminator_penalties=(R1(Cosine(3.0, 0.3)), R2(Cosine(3.0, 0.3))),
    generator_optimizer=Adam(Linear(2e-3, 0.0, 0.5), 0.0, 0.99),
    discriminator_optimizer=Adam(Linear(2e-3, 0.0, 0.5), 0.0, 0.99),
    ema=Ema(10_000),
    batch=32,
    images=180_000,
    precision="auto",
    picture=ImageGrid(),
    report_every_images=3_200,
    sample_every_images=12_000,
    checkpoint_every_images=18_000,
)
