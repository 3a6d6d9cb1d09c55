"""Twenty-five Gaussians on a grid."""

from mulligan.data import Grid
from mulligan.ema import Ema
from mulligan.latents import NormalMixture
from mulligan.losses import RelativisticPairing
from mulligan.networks import MlpDiscriminator, MlpGenerator
from mulligan.penalties import R1, R2
from mulligan.pictures import Scatter
from mulligan.recipe import Adam, Recipe
from mulligan.schedules import Linear
from mulligan.views import Points

RECIPE = Recipe(
    name="grid",
    data=Grid(),
    view=Points(scale=2.83),
    latents=NormalMixture(2, 100, 0.1),
    generator=MlpGenerator((128, 128, 128), activation="leaky-relu", output="linear"),
    discriminator=MlpDiscriminator((128, 128, 128)),
    loss=RelativisticPairing(),
    discriminator_penalties=(R1(0.05), R2(0.05)),
    generator_optimizer=Adam(Linear(1e-3, 0.0, 0.3), 0.0, 0.99),
    discriminator_optimizer=Adam(Linear(1e-3, 0.0, 0.3), 0.0, 0.99),
    ema=Ema(50_000),
    batch=256,
    images=2_000_000,
    threads=1,
    picture=Scatter(),
    report_every_images=25_600,
    sample_every_images=102_400,
    checkpoint_every_images=512_000,
)
