"""The classic Gaussian's data and linear generator, with a game that settles: it reaches the mean and the covariance.

Changed against `gaussian`: a wider discriminator that can see second moments, relativistic pairing with R1 and R2, larger batches,
rates that fall to zero, an averaged generator.
"""

from mulligan.ema import Ema
from mulligan.losses import RelativisticPairing
from mulligan.networks import MlpDiscriminator
from mulligan.penalties import R1, R2
from mulligan.recipe import Adam, Best
from mulligan.recipes.gaussian import EPOCH
from mulligan.recipes.gaussian import RECIPE as CLASSIC
from mulligan.schedules import Linear
from mulligan.views import Points

RECIPE = CLASSIC.with_(
    name="gaussian-steady",
    view=Points(2.0),
    discriminator=MlpDiscriminator((64, 64)),
    loss=RelativisticPairing(),
    discriminator_penalties=(R1(1.0), R2(1.0)),
    generator_optimizer=Adam(Linear(5e-3, 0.0, 0.2), 0.0, 0.99),
    discriminator_optimizer=Adam(Linear(5e-3, 0.0, 0.2), 0.0, 0.99),
    ema=Ema(20_000),
    batch=100,
    images=200 * EPOCH,
    report_every_images=10 * EPOCH,
    sample_every_images=20 * EPOCH,
    checkpoint_every_images=100 * EPOCH,
    best=Best("covariance_error", larger=False),
)
