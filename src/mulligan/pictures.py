"""What a run shows: grids, real above fake, scatter plots with the discriminator's field. Arrays in, Pillow images out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mulligan.errors import RecipeError

TITLE_HEIGHT = 18
GAP = 2  # pixels between tiles
LEGIBLE = 56  # tiles are enlarged by the whole factor that keeps them within this many pixels
BACKGROUND = (255, 255, 255)
INK = (30, 30, 30)
REAL_INK = (20, 90, 200)
FAKE_INK = (220, 80, 20)


@dataclass(frozen=True)
class Scene:
    """What there is to show at one moment.

    For images, `real` and `fake` are uint8 (N, H, W, C); for points float32 (N, 2). `probability` maps points (M, 2) to how
    strongly the discriminator holds each for real, in [0, 1]. `epoch` and `batch` count from 0.
    """

    real: np.ndarray
    fake: np.ndarray
    probability: Callable[[np.ndarray], np.ndarray]
    title: str
    images_seen: int
    epoch: int
    batch: int


@dataclass(frozen=True)
class ImageGrid:
    """Generated images of fixed latents in rows."""

    rows: int = 8
    columns: int = 8

    @property
    def count(self) -> int:
        return self.rows * self.columns

    def name(self, scene: Scene) -> str:
        return images_name(scene)

    def draw(self, scene: Scene) -> Image.Image:
        return titled(tile(scene.fake, self.columns), scene.title)


@dataclass(frozen=True)
class RealAboveFake:
    """The newest batch of real images above as many generated ones; named by epoch and batch, as the Fluid book does."""

    count: int = 128
    columns: int = 16

    def name(self, scene: Scene) -> str:
        return f"{scene.epoch:04d}_{scene.batch:04d}.png"

    def draw(self, scene: Scene) -> Image.Image:
        upper, lower = tile(scene.real[: self.count], self.columns), tile(scene.fake, self.columns)
        both = Image.new("RGB", (upper.width, upper.height + lower.height + 4 * GAP), REAL_INK)
        both.paste(upper, (0, 0))
        both.paste(lower, (0, upper.height + 4 * GAP))
        return titled(both, scene.title)


@dataclass(frozen=True)
class Scatter:
    """Real (blue) and fake (orange) points over the discriminator's probability as a field (dark: held for fake).

    Points of more than two coordinates show their first two, over a plain field.
    """

    count: int = 1000
    side: int = 480

    def __post_init__(self) -> None:
        if not 16 <= self.side <= 8_192:
            raise RecipeError(f"side={self.side} is not possible for a scatter plot; use 16 to 8,192 pixels")

    def name(self, scene: Scene) -> str:
        return images_name(scene)

    def draw(self, scene: Scene) -> Image.Image:
        dimensions = scene.fake.shape[1]
        real, fake = scene.real[: self.count, :2], scene.fake[:, :2]
        shown = real if len(real) else fake
        low, high = shown.min(0), shown.max(0)
        middle, half = (low + high) / 2, 0.62 * max(float((high - low).max()), 1e-6)
        ticks = np.linspace(-half, half, self.side // 4, dtype=np.float32)
        x, y = np.meshgrid(middle[0] + ticks, middle[1] - ticks)
        places = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)
        chances = scene.probability(places) if dimensions == 2 else np.full(len(places), 0.5)
        field = np.nan_to_num(chances, nan=0.5).reshape(x.shape)  # a discriminator that has diverged still gets its picture
        grey = Image.fromarray((110 + 145 * field).clip(0, 255).astype(np.uint8))
        picture = grey.resize((self.side, self.side), Image.Resampling.BILINEAR).convert("RGB")
        pen = ImageDraw.Draw(picture)
        for points, ink in ((real, REAL_INK), (fake, FAKE_INK)):
            inside = np.isfinite(points).all(1)
            spots = (points[inside] - middle) / (2 * half) * [1, -1] * self.side + self.side / 2
            for column, row in spots.clip(-9, self.side + 9):
                pen.ellipse((column - 1.5, row - 1.5, column + 1.5, row + 1.5), fill=ink)
        return titled(picture, f"{scene.title}  blue: real, orange: fake" if len(real) else scene.title)


Picture = ImageGrid | RealAboveFake | Scatter


def images_name(scene: Scene) -> str:
    return f"{scene.images_seen:09d}.png"


def tile(images: np.ndarray, columns: int) -> Image.Image:
    """uint8 (N, H, W, C) -> one picture, `columns` wide; more channels than three show their first three."""
    images = images.repeat(enlargement := max(1, LEGIBLE // images.shape[1]), 1).repeat(enlargement, 2)
    count, height, width, channels = images.shape
    rows = math.ceil(count / columns)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), BACKGROUND, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + GAP), index % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = image[..., :3] if channels >= 3 else image[..., :1]
    return Image.fromarray(sheet)


def titled(picture: Image.Image, title: str) -> Image.Image:
    """The picture below a line of text, in as large a type as fits."""
    size = 12
    while size > 5 and ImageFont.load_default(size).getlength(title) > picture.width - 4:
        size -= 1
    page = Image.new("RGB", (picture.width, picture.height + TITLE_HEIGHT), BACKGROUND)
    ImageDraw.Draw(page).text((2, 2), title, INK, ImageFont.load_default(size))
    page.paste(picture, (0, TITLE_HEIGHT))
    return page
