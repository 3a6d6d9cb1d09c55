"""Where stored values and network values meet."""

import pytest
import torch

from mulligan.views import Pixels, Points, to_uint8

EVERY_BYTE = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)


@pytest.mark.parametrize("view", [Pixels(), Pixels(0.0, 1.0), Pixels(-0.5, 2.0)], ids=repr)
def test_every_byte_survives_the_way_to_the_networks_and_back(view: Pixels) -> None:
    seen = view.encode(EVERY_BYTE)
    assert seen.min() == pytest.approx(view.low)
    assert seen.max() == pytest.approx(view.high)
    assert torch.equal(torch.from_numpy(to_uint8(view.normal(seen))).permute(0, 3, 1, 2), EVERY_BYTE)


def test_what_a_generator_makes_outside_the_range_is_cut_off() -> None:
    made = torch.tensor([-1.0, -0.2, 0.0, 0.5, 1.0, 1.7])
    assert Pixels(0.0, 1.0).normal(made).tolist() == [-1.0, -1.0, -1.0, 0.0, 1.0, 1.0]


def test_encoding_leaves_the_stored_images_alone() -> None:
    before = EVERY_BYTE.clone()
    Pixels().encode(EVERY_BYTE)
    assert torch.equal(EVERY_BYTE, before)


def test_points_are_scaled_and_scaled_back() -> None:
    points = torch.tensor([[2.0, -4.0]])
    assert Points(2.0).encode(points).tolist() == [[1.0, -2.0]]
    assert torch.equal(Points(2.0).normal(Points(2.0).encode(points)), points)


def test_negatives_in_a_view_from_zero_are_stored_black() -> None:
    made = torch.tensor([-1.0, -1e-3, 0.0, 1.0]).reshape(1, 1, 1, 4)
    assert to_uint8(Pixels(0.0, 1.0).normal(made)).ravel().tolist() == [0, 0, 0, 255]


def test_bytes_round_to_the_nearest_and_put_channels_last() -> None:
    levels = torch.tensor([-1.0, 100.4 / 127.5 - 1, 100.6 / 127.5 - 1]).reshape(1, 3, 1, 1).expand(1, 3, 2, 5)
    stored = to_uint8(levels)
    assert stored.shape == (1, 2, 5, 3)
    assert stored[0, 1, 4].tolist() == [0, 100, 101]


def test_half_precision_output_becomes_float32() -> None:
    made = torch.tensor([[0.5]], dtype=torch.bfloat16)
    assert Pixels().normal(made).dtype == Points().normal(made).dtype == torch.float32
