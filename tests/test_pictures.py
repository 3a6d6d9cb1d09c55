"""Pictures show what they should, where they should."""

import numpy as np

from mulligan.pictures import GAP, TITLE_HEIGHT, ImageGrid, RealAboveFake, Scatter, Scene, tile


def scene(real: np.ndarray, fake: np.ndarray, title: str = "a title") -> Scene:
    return Scene(real, fake, lambda points: np.full(len(points), 0.5), title, images_seen=1_280, epoch=0, batch=9)


def flat(*levels: int, side: int = 64, channels: int = 1) -> np.ndarray:
    """(N, side, side, channels) images of one grey level each."""
    return np.stack([np.full((side, side, channels), level, np.uint8) for level in levels])


def test_image_i_lies_in_row_i_over_columns() -> None:
    sheet = np.asarray(tile(flat(10, 20, 30, 40, 50, 60), 3))
    assert sheet.shape == (2 * 64 + GAP, 3 * 64 + 2 * GAP, 3)
    centres = [[sheet[32 + row * (64 + GAP), 32 + column * (64 + GAP), 0] for column in range(3)] for row in range(2)]
    assert centres == [[10, 20, 30], [40, 50, 60]]


def test_small_images_are_enlarged_by_a_whole_factor() -> None:
    assert tile(flat(0, side=28), 1).size == (56, 56)
    assert tile(flat(0, side=8), 1).size == (56, 56)


def test_colours_stay_in_their_channels() -> None:
    red = np.zeros((1, 64, 64, 3), np.uint8)
    red[..., 0] = 200
    assert np.asarray(tile(red, 1))[10, 10].tolist() == [200, 0, 0]


def test_the_title_stands_above_the_grid() -> None:
    grid = ImageGrid(1, 2)
    with_title, without = (np.asarray(grid.draw(scene(flat(0), flat(0, 0), title))) for title in ("12,800 images", ""))
    assert (with_title[:TITLE_HEIGHT] != without[:TITLE_HEIGHT]).any()
    assert np.array_equal(with_title[TITLE_HEIGHT:], without[TITLE_HEIGHT:])
    assert grid.name(scene(flat(0), flat(0))) == "000001280.png"


def test_real_stands_above_fake_named_by_epoch_and_batch() -> None:
    picture = RealAboveFake(count=4, columns=4)
    page = np.asarray(picture.draw(scene(flat(*[200] * 4), flat(*[50] * 4))))
    assert page[TITLE_HEIGHT + 32, 32, 0] == 200
    assert page[-32, 32, 0] == 50
    assert picture.name(scene(flat(0), flat(0))) == "0000_0009.png"


def test_a_scatter_puts_points_where_they_are_and_the_field_behind() -> None:
    corners = np.array([[-1.0, -1.0], [1.0, 1.0]], np.float32)
    low_is_fake = Scene(corners, np.array([[1.0, -1.0]], np.float32), lambda p: (p[:, 0] > 0).astype(float), "", 0, 0, 0)
    page = np.asarray(Scatter(side=400).draw(low_is_fake))[TITLE_HEIGHT:].astype(int)
    left, right = int(200 - 200 / 1.24), int(200 + 200 / 1.24)
    assert page[right, left].argmax() == 2  # real, blue, at the bottom left
    assert page[left, right].argmax() == 2
    assert page[right, right].argmax() == 0  # fake, orange, at the bottom right
    assert page[200, 20].mean() < page[200, 380].mean()  # dark where held for fake


def test_points_that_are_no_numbers_are_left_out() -> None:
    fake = np.array([[np.nan, 0.0], [np.inf, 1.0]], np.float32)
    page = Scatter(side=100).draw(scene(np.array([[0, 0], [1, 1]], np.float32), fake))
    assert page.size == (100, 100 + TITLE_HEIGHT)
