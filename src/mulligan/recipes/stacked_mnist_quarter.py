"""A thousand modes with a discriminator a quarter as wide as the generator: the sizes of Unrolled GAN's experiment."""

from mulligan.data import StackedMnist
from mulligan.ema import Ema
from mulligan.latents import Normal
from mulligan.losses import RelativisticPairing
from mulligan.networks import TinyDiscriminator, TinyGenerator
from mulligan.penalties import R1, R2
from mulligan.pictures import ImageGrid
from mulligan.recipe import Adam, Recipe
from mulligan.schedules import Linear
from mulligan.views import Pixels

RECIPE = Recipe(
    name="stacked-mnist-quarter",
    data=StackedMnist(),
    view=Pixels(-1.0, 1.0),
    latents=Normal(256),
    generator=TinyGenerator(),
    discriminator=TinyDiscriminator(2),
    loss=RelativisticPairing(),
    discriminator_penalties=(R1(0.3), R2(0.3)),
    generator_optimizer=Adam(Linear(1e-3, 0.0, 0.5), 0.0, 0.99),
    discriminator_optimizer=Adam(Linear(1e-3, 0.0, 0.5), 0.0, 0.99),
    ema=Ema(50_000),
    batch=128,
    images=6_400_000,
    picture=ImageGrid(),
    report_every_images=128_000,
    sample_every_images=640_000,
    checkpoint_every_images=640_000,
)
