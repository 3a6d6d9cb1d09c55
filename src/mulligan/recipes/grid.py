"""Twenty-five Gaussians on a grid: every mode, equally often, as wide as it should be.

The latents are a mixture of far more centres than the data has modes, each as narrow as a mode in the networks' units: the
generator then only has to carry centres to modes. With plain normal latents it must also tear the plane apart, and leaves bridges.
"""

from mulligan.data import Grid
from mulligan.ema import Ema
from mulligan.latents import NormalMixture
from mulligan.losses import RelativisticPairing
from mulligan.networks import MlpDiscriminator, MlpGenerator
from mulligan.penalties import R1, R2
from mulligan.pictures import Scatter
from mulligan.recipe import Adam, Best, Recipe
from mulligan.schedules import Cosine, Linear
from mulligan.views import Points

RECIPE = Recipe(
    name="grid",
    data=Grid(),
    view=Points(scale=2.83),  # the standard deviation of a coordinate
    latents=NormalMixture(size=8, centres=100, width=0.02),
    generator=MlpGenerator((128, 128), activation="leaky-relu", output="linear"),
    discriminator=MlpDiscriminator((128, 128)),
    loss=RelativisticPairing(),
    # strong at first, so that every latent centre finds a mode; weak at the end, so that modes can be as tight as they are
    discriminator_penalties=(R1(Cosine(0.1, 0.005)), R2(Cosine(0.1, 0.005))),
    generator_optimizer=Adam(Linear(2e-3, 0.0, 0.3), 0.0, 0.99),
    discriminator_optimizer=Adam(Linear(2e-3, 0.0, 0.3), 0.0, 0.99),
    ema=Ema(50_000),
    batch=256,
    images=1_800_000,
    threads=1,
    picture=Scatter(),
    report_every_images=25_600,
    sample_every_images=102_400,
    checkpoint_every_images=512_000,
    best=Best("high_quality"),
)
