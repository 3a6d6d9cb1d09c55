"""The PyTorch tutorial on anime faces, 96 x 96 in colour. Give it your folder: `mulligan train faces-cnn --data FOLDER`.

The article compared two losses after 10 epochs: `--loss minimax:log-of-sum=true`, which is what its code computed and which
stalls, and cross entropy, which is the default here (`--loss cross-entropy`).
"""

from mulligan.data import Folder
from mulligan.latents import Normal
from mulligan.losses import NonSaturating
from mulligan.networks import FacesDiscriminator, FacesGenerator
from mulligan.pictures import ImageGrid
from mulligan.recipe import Adam, Recipe
from mulligan.views import Pixels

EPOCH = 33_430  # the article's number of images; yours may have another

RECIPE = Recipe(
    name="faces-cnn",
    data=Folder("faces"),
    held_out=0.0,  # the article trained on all
    image_size=96,
    view=Pixels(-1.0, 1.0),
    latents=Normal(100),
    generator=FacesGenerator(),
    discriminator=FacesDiscriminator(),
    loss=NonSaturating(),
    generator_optimizer=Adam(2e-4, 0.9, 0.999),
    discriminator_optimizer=Adam(2e-4, 0.9, 0.999),
    batch=64,
    images=10 * EPOCH,
    precision="auto",
    picture=ImageGrid(8, 8),
    report_every_images=10 * 64,
    sample_every_images=50 * 64,
    checkpoint_every_images=100 * 64,
)
