"""The PaddlePaddle tutorial of 2022: two fully connected networks, least squares on the sigmoid output."""

from mulligan.data import Mnist
from mulligan.latents import Normal
from mulligan.losses import LeastSquares
from mulligan.networks import MlpDiscriminator, MlpGenerator, XavierUniform
from mulligan.pictures import ImageGrid
from mulligan.recipe import Adam, Recipe
from mulligan.views import Pixels

EPOCH = 60_000

RECIPE = Recipe(
    name="mnist-mlp",
    data=Mnist(),
    image_size=32,
    # quirk: the images lie in [0, 1] and the generator ends in tanh; what it makes below 0 is shown as black
    view=Pixels(0.0, 1.0),
    latents=Normal(100),
    generator=MlpGenerator(hidden=(256, 512), output="tanh", init=XavierUniform()),
    discriminator=MlpDiscriminator(hidden=(512, 256), slope=0.2, init=XavierUniform()),
    loss=LeastSquares(of="sigmoid"),
    generator_optimizer=Adam(2e-4, 0.5, 0.999),
    discriminator_optimizer=Adam(2e-4, 0.5, 0.999),
    batch=32,
    images=10 * EPOCH,
    picture=ImageGrid(),
    report_every_images=100 * 32,
    sample_every_images=100 * 32,
    checkpoint_every_images=EPOCH // 2,
)
