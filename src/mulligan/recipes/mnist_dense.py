"""The second listing of the faces tutorial: small dense networks, sigmoid cross entropy, real labels smoothed to 0.9."""

from mulligan.data import Mnist
from mulligan.latents import Uniform
from mulligan.losses import NonSaturating
from mulligan.networks import MlpDiscriminator, MlpGenerator, XavierUniform
from mulligan.pictures import ImageGrid
from mulligan.recipe import Adam, Recipe
from mulligan.views import Pixels

EPOCH = 60_000

RECIPE = Recipe(
    name="mnist-dense",
    data=Mnist(),
    view=Pixels(-1.0, 1.0),
    latents=Uniform(100),
    generator=MlpGenerator(hidden=(128, 128), activation="leaky-relu", slope=0.01, output="tanh", init=XavierUniform()),
    discriminator=MlpDiscriminator(hidden=(128, 128), slope=0.01, init=XavierUniform()),
    loss=NonSaturating(real_label=0.9),
    generator_optimizer=Adam(1e-3, 0.9, 0.999),
    discriminator_optimizer=Adam(1e-3, 0.9, 0.999),
    batch=100,
    images=500 * EPOCH,
    picture=ImageGrid(5, 5),
    report_every_images=EPOCH,
    sample_every_images=10 * EPOCH,
    checkpoint_every_images=10 * EPOCH,
)
