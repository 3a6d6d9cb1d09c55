"""The Gluon notebook's toy in PyTorch: a linear generator, a tiny discriminator with two logits."""

from mulligan.data import Gaussian
from mulligan.latents import Normal
from mulligan.losses import SoftmaxCrossEntropy
from mulligan.networks import MlpDiscriminator, MlpGenerator, NormalWeights
from mulligan.pictures import Scatter
from mulligan.recipe import Adam, Recipe
from mulligan.views import Points

EPOCH = 1_000

RECIPE = Recipe(
    name="gaussian",
    data=Gaussian(count=EPOCH),
    view=Points(),
    latents=Normal(2),
    generator=MlpGenerator(hidden=(), output="linear", init=NormalWeights(0.02)),
    discriminator=MlpDiscriminator(hidden=(5, 3), activation="tanh", init=NormalWeights(0.02)),
    loss=SoftmaxCrossEntropy(),
    generator_optimizer=Adam(0.01, 0.9, 0.999),
    discriminator_optimizer=Adam(0.05, 0.9, 0.999),
    batch=4,
    images=10 * EPOCH,
    threads=1,
    picture=Scatter(),
    report_every_images=EPOCH,
    sample_every_images=EPOCH,
    checkpoint_every_images=5 * EPOCH,
)
