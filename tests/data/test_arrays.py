"""NumPy files: layouts, ranges, and nothing executed."""

import gc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mulligan.data import ArrayFile
from mulligan.errors import DataError

RNG = np.random.default_rng(0)


def load(path: Path, **arrays: Any) -> Any:
    """Save as .npz under these names (or .npy for the name `plain`) and load again."""
    if "plain" in arrays:
        np.save(path / "x.npy", arrays["plain"])
        return ArrayFile(str(path / "x.npy")).load(None)
    np.savez(path / "x.npz", **arrays)
    return ArrayFile(str(path / "x.npz")).load(None)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((5, 8, 6), (5, 1, 8, 6)), ((5, 8, 6, 3), (5, 3, 8, 6)), ((5, 3, 8, 6), (5, 3, 8, 6)), ((5, 8, 8, 7), (5, 7, 8, 8))],
)
def test_layouts_of_images_come_out_as_channels_first(shape: tuple[int, ...], expected: tuple[int, ...], tmp_path: Path) -> None:
    assert load(tmp_path, plain=RNG.integers(0, 256, shape, dtype=np.uint8)).items.shape == expected


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((2, 3, 32, 4), (2, 3, 32, 4)),  # the shorter axis
        ((2, 1, 28, 3), (2, 1, 28, 3)),
        ((2, 4, 28, 1), (2, 1, 4, 28)),
        ((2, 3, 4, 4), (2, 3, 4, 4)),  # the square picture
        ((2, 4, 4, 3), (2, 3, 4, 4)),
        ((2, 4, 3, 3), (2, 4, 3, 3)),
        ((2, 2, 2, 3), (2, 3, 2, 2)),
        ((2, 1, 2, 2), (2, 1, 2, 2)),
        ((2, 3, 3, 3), (2, 3, 3, 3)),
        ((2, 3, 28, 3), (2, 3, 3, 28)),  # a tie: last
        ((2, 28, 5, 5), (2, 5, 28, 5)),
    ],
)
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_channels_are_the_shorter_axis_or_leave_a_square(shape: Any, expected: Any, kind: Any, tmp_path: Path) -> None:
    pixels = (RNG.integers(0, 2, shape) * (1 if kind is np.float32 else 255)).astype(kind)
    items = load(tmp_path, plain=pixels).items
    assert items.shape == expected
    first = items[0, 0].numpy() > 0
    plane = pixels[0, 0] if expected == shape and shape != (2, 3, 3, 3) else pixels[0, ..., 0]
    assert np.array_equal(first, plane > 0)


def test_floats_in_either_range_become_bytes(tmp_path: Path) -> None:
    levels = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 16, 16)
    expected = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(load(tmp_path, plain=levels).items, expected)
    assert torch.equal(load(tmp_path, plain=levels * 2 - 1).items, expected)


def test_labels_come_along(tmp_path: Path) -> None:
    data = load(tmp_path, images=np.zeros((3, 4, 4), np.uint8), labels=np.array([2, 0, 1]))
    assert data.labels.tolist() == [2, 0, 1]
    assert data.label_names == ("0", "1", "2")


def test_two_dimensions_are_points(tmp_path: Path) -> None:
    data = load(tmp_path, points=RNG.standard_normal((7, 3)))
    assert data.items.shape == (7, 3)
    assert data.items.dtype == torch.float32


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"plain": np.zeros((0, 4, 4), np.uint8)}, "is empty: shape (0, 4, 4); give at least one sample"),
        ({"plain": np.zeros((3, 4, 4)) + 7}, "holds floats from 7 to 7; give uint8, or floats in [0, 1] or [-1, 1]"),
        ({"plain": np.full((2, 2), np.nan)}, "holds points that are not finite numbers; remove those rows"),
        ({"plain": np.zeros(5)}, "has shape (5,); images need (N, H, W), (N, H, W, C) or (N, C, H, W), points (N, D)"),
        (
            {"plain": np.zeros((2, 4, 4), np.int32)},
            "holds int32 images; save them as uint8 from 0 to 255, or floats in [0, 1] or [-1, 1]",
        ),
        ({"plain": np.full((2, 4, 4), np.nan)}, "holds images with values that are no finite numbers; remove those"),
        (
            {"x": np.zeros((1, 4, 4), np.uint8), "y": np.array([2**40])},
            "has labels up to 1099511627776; number the classes from 0, 100,000 at most",
        ),
        (
            {"a": np.zeros(3), "b": np.zeros(3)},
            "has none of the arrays samples, images, x, points, data; name the samples one of these",
        ),
        ({"x": np.zeros((3, 4, 4)), "y": np.zeros(2)}, "has 3 samples and labels of shape (2,); give one label each"),
    ],
)
def test_arrays_that_are_no_data_say_why(arrays: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path, **arrays)
    assert str(caught.value).endswith(reason)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path(self.target),))

    def __init__(self, target: Path):
        self.target = str(target)


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_pickled_objects_are_refused_and_never_run(name: str, tmp_path: Path) -> None:
    objects = np.array([Bomb(tmp_path / "exploded")], dtype=object)
    np.save(tmp_path / name, objects) if name.endswith("npy") else np.savez(tmp_path / name, x=objects)
    with pytest.raises(DataError, match="cannot be read as a NumPy file"):
        ArrayFile(str(tmp_path / name)).load(None)
    assert not (tmp_path / "exploded").exists()


def test_a_file_cut_off_anywhere_is_an_error_of_ours(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 4, 4), np.uint8))
    whole = (tmp_path / "x.npy").read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "x.npy").write_bytes(whole[:length])
        with pytest.raises(DataError):
            ArrayFile(str(tmp_path / "x.npy")).load(None)


def foreign_errors(path: Path, contents: Iterable[bytes]) -> set[str]:
    """The names of the errors, other than ours, that reading these contents ends in; what is read must be whole."""
    found = set()
    for content in contents:
        path.write_bytes(content)
        try:
            assert ArrayFile(str(path)).load(None).items.dtype in (torch.uint8, torch.float32)
        except DataError:
            continue
        except Exception as error:
            found.add(type(error).__name__)
    gc.collect()  # a file that an error left open is closed here, and not in another test
    return found


def flipped(content: bytes, count: int) -> list[bytes]:
    """Copies of the content with one byte changed each."""
    rng, copies = np.random.default_rng(1), []
    for _ in range(count):
        copy = bytearray(content)
        copy[rng.integers(len(copy))] ^= int(rng.integers(1, 256))
        copies.append(bytes(copy))
    return copies


def test_flipped_bytes_of_an_array_give_an_error_of_ours_or_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", RNG.integers(0, 256, (3, 5, 4), dtype=np.uint8))
    assert foreign_errors(tmp_path / "x.npy", flipped((tmp_path / "x.npy").read_bytes(), 200)) == set()


def test_flipped_bytes_of_the_pixels_give_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", RNG.integers(0, 256, (3, 5, 4), dtype=np.uint8))
    header, pixels = (tmp_path / "x.npy").read_bytes()[:128], (tmp_path / "x.npy").read_bytes()[128:]
    for changed in flipped(pixels, 50):
        (tmp_path / "x.npy").write_bytes(header + changed)
        assert ArrayFile(str(tmp_path / "x.npy")).load(None).items.numpy().tobytes() == changed


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_flipped_bytes_of_an_archive_give_an_error_of_ours_or_an_array(save: Any, tmp_path: Path) -> None:
    save(tmp_path / "x.npz", images=RNG.integers(0, 256, (3, 5, 4), dtype=np.uint8), labels=np.arange(3))
    assert foreign_errors(tmp_path / "x.npz", flipped((tmp_path / "x.npz").read_bytes(), 200)) == set()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_archive_cut_off_anywhere_is_an_error_of_ours(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros((4, 4, 4), np.uint8))
    whole = (tmp_path / "x.npz").read_bytes()
    assert foreign_errors(tmp_path / "x.npz", (whole[:length] for length in range(len(whole)))) == set()


def test_a_missing_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read as a NumPy file: .*; save it with numpy\.save or numpy\.savez"):
        ArrayFile(str(tmp_path / "no.npy")).load(None)


@pytest.mark.parametrize("name", ["samples", "images", "x", "points", "data", "anything"])
def test_an_archive_of_one_array_is_read_under_any_name(name: str, tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (3, 5, 4), dtype=np.uint8)
    assert np.array_equal(load(tmp_path, **{name: pixels}).items[:, 0].numpy(), pixels)


def test_samples_come_before_other_known_names(tmp_path: Path) -> None:
    data = load(tmp_path, data=np.zeros((2, 3)), samples=np.ones((4, 3)), other=np.zeros(9))
    assert data.items.tolist() == np.ones((4, 3)).tolist()


@pytest.mark.parametrize("name", ["labels", "y"])
def test_labels_have_two_names(name: str, tmp_path: Path) -> None:
    assert load(tmp_path, **{"x": np.zeros((2, 4, 4), np.uint8), name: np.array([1, 0], np.uint8)}).labels.tolist() == [1, 0]


def test_channels_last_keep_their_pixels(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (2, 6, 5, 3), dtype=np.uint8)
    assert np.array_equal(load(tmp_path, plain=pixels).items.numpy(), pixels.transpose(0, 3, 1, 2))


def test_pictures_come_at_the_size_asked_for(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.full((2, 6, 10, 3), 77, np.uint8))
    items = ArrayFile(str(tmp_path / "x.npy")).load(4).items
    assert items.shape == (2, 3, 4, 4)
    assert items.unique().tolist() == [77]


@pytest.mark.parametrize(
    "arrays",
    [
        {"plain": np.array(5)},
        {"plain": np.zeros((2, 0, 4), np.float32)},
        {"plain": np.full((3, 2), 1e300)},
        {"plain": np.zeros((3, 2), complex)},
        {"x": np.zeros((2, 4, 4), np.uint8), "y": np.array(["a", "b"])},
        {"x": np.zeros((2, 4, 4), np.uint8), "y": np.array([-3, 0])},
        {"x": np.zeros((2, 4, 4), np.uint8), "y": np.array([np.nan, 0])},
    ],
    ids=["a number", "no rows", "beyond float32", "complex", "labels of text", "negative labels", "labels that are no numbers"],
)
def test_odd_arrays_are_refused_in_our_words(arrays: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DataError):
        load(tmp_path, **arrays)
