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


def test_what_does_not_fill_the_last_row_is_left_blank() -> None:
    sheet = np.asarray(tile(flat(10, 20, 30), 2))
    assert (sheet[64 + GAP :, 64 + GAP :] == 255).all()
    assert (sheet[:64, 64 : 64 + GAP] == 255).all()


def test_grey_is_shown_in_all_three_channels_and_a_fourth_is_dropped() -> None:
    assert np.asarray(tile(flat(77), 1))[0, 0].tolist() == [77, 77, 77]
    four = np.stack([np.full((64, 64), level, np.uint8) for level in (1, 2, 3, 4)], 2)[None]
    assert np.asarray(tile(four, 1))[0, 0].tolist() == [1, 2, 3]


def test_a_grid_counts_its_rows_times_its_columns_and_keeps_their_order() -> None:
    grid = ImageGrid(2, 3)
    assert grid.count == 6
    page = np.asarray(grid.draw(scene(flat(0), flat(10, 20, 30, 40, 50, 60))))
    assert page.shape == (TITLE_HEIGHT + 2 * 64 + GAP, 3 * 64 + 2 * GAP, 3)
    assert [page[TITLE_HEIGHT + 5, column * (64 + GAP) + 5, 0] for column in range(3)] == [10, 20, 30]


def test_no_more_real_images_are_shown_than_asked_for() -> None:
    page = np.asarray(RealAboveFake(count=2, columns=2).draw(scene(flat(*[200] * 6), flat(50, 50))))
    assert page.shape[:2] == (TITLE_HEIGHT + 2 * 64 + 4 * GAP, 2 * 64 + GAP)


def test_a_scatter_of_generated_points_alone_still_shows_them() -> None:
    alone = scene(np.zeros((0, 2), np.float32), np.array([[-1.0, 0.0], [1.0, 0.0]], np.float32))
    page = np.asarray(Scatter(side=400).draw(alone))[TITLE_HEIGHT:].astype(int)
    assert page[200, int(200 - 200 / 1.24)].argmax() == 0
    assert page[200, int(200 + 200 / 1.24)].argmax() == 0
    assert Scatter().name(alone) == "000001280.png"


def test_a_long_title_is_set_smaller_so_that_it_fits() -> None:
    from mulligan.pictures import titled

    title = "1,000,000 images of something"
    page = np.asarray(titled(tile(flat(255, side=200), 1), title))
    inked = np.flatnonzero((page[:TITLE_HEIGHT] < 128).any((0, 2)))
    assert 100 < inked.max() < 198
