"""Duplicates: the same bits, or nearly the same picture."""

import io
import time

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from mulligan.data import Mnist, Ring
from mulligan.data.duplicates import exact_duplicates, near_duplicates
from mulligan.data.images import fit_square

SIDE = 256


def photo(seed: int) -> Image.Image:
    """Noise with a photograph's spectrum: much at large scales, little at small ones, and more light than colour."""
    rng, frequency = np.random.default_rng(seed), np.fft.fftfreq(SIDE)
    radius = np.maximum(np.hypot(frequency[:, None], frequency), 1 / SIDE)
    light, *colours = [np.fft.ifft2(np.fft.fft2(rng.standard_normal((SIDE, SIDE))) / radius**1.2).real for _ in range(4)]
    channels = [light + 0.3 * colour for colour in colours]
    pixels = np.stack([(channel - channel.mean()) / channel.std() * 50 + 120 for channel in channels], 2)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def saved_again(image: Image.Image, quality: int) -> Image.Image:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=quality)
    return Image.open(content)


def at(image: Image.Image, size: int) -> Tensor:
    return fit_square(torch.from_numpy(np.array(image)).permute(2, 0, 1)[None], size)


@pytest.mark.parametrize("size", [28, 64, 128])
def test_pictures_saved_again_or_made_smaller_are_found_and_others_are_not(size: int) -> None:
    photos = [photo(seed) for seed in range(20)]
    again = [saved_again(photos[3], 75), saved_again(photos[4], 70), photos[5].resize((128, 128), Image.Resampling.BICUBIC)]
    images = torch.cat([at(image, size) for image in [*photos, *again, saved_again(photos[3], 85)]])
    assert exact_duplicates(images) == []
    assert sorted(near_duplicates(images, [])) == [[3, 20, 23], [4, 21], [5, 22]]


def test_the_same_bits_are_found_in_pictures_and_points() -> None:
    images = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8)
    images[[7, 9]] = images[2].clone()
    images[30] = images[1]
    assert sorted(exact_duplicates(images)) == [[1, 30], [2, 7, 9]]
    points = Ring(1000).load(None).items
    assert exact_duplicates(points) == []
    points[999] = points[0]
    assert exact_duplicates(points) == [[0, 999]]


def test_of_pictures_that_are_the_same_only_the_first_has_near_ones() -> None:
    images = torch.cat([at(photo(seed), 32) for seed in (0, 1, 2, 1, 1)] + [at(saved_again(photo(1), 80), 32)])
    exact = exact_duplicates(images)
    assert exact == [[1, 3, 4]]
    assert near_duplicates(images, exact) == [[1, 5]]


def test_where_all_pictures_are_nearly_the_same_they_are_one_group() -> None:
    scene = torch.rand(1, 1, 16, 16) * 200
    frames = (scene + torch.rand(3000, 1, 16, 16) * 3).to(torch.uint8)
    assert [len(group) for group in near_duplicates(frames, [])] == [3000]


@pytest.mark.parametrize("count", [1, 2])
def test_few_pictures_are_enough(count: int) -> None:
    assert near_duplicates(at(photo(0), 32).expand(count, -1, -1, -1), []) == ([[0, 1]] if count == 2 else [])


def test_blank_pictures_of_different_greys_are_not_near() -> None:
    greys = torch.arange(0, 250, 10, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 16, 16)
    assert near_duplicates(greys, []) == []


def test_digits_that_look_alike_are_no_duplicates_and_are_compared_quickly() -> None:
    digits = Mnist("test").load(None).items
    start = time.process_time()
    assert exact_duplicates(digits) == []
    assert near_duplicates(digits, []) == []
    assert time.process_time() - start < 10
