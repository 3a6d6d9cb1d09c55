"""Every source keeps the same contract, and the known ones are what they say."""

import gzip
import shutil
import zipfile
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from PIL import Image

from mulligan.data import (
    Archive,
    ArrayFile,
    FashionMnist,
    Folder,
    Gaussian,
    Grid,
    IdxFile,
    Mnist,
    Ring,
    Source,
    StackedMnist,
    digits,
    source_from,
)
from mulligan.data.digits import DIGITS, MNIST_SHA256, load_files
from mulligan.errors import DataError
from mulligan.metrics import KnownGaussian, KnownMixture


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[type, Any]:
    """One small source of each kind; Fashion-MNIST is played by MNIST's files under its name."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 7), dtype=np.uint8)
    (tmp_path / "pictures" / "cats").mkdir(parents=True)
    Image.fromarray(pixels[0]).save(tmp_path / "pictures" / "cats" / "one.png")
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.write(tmp_path / "pictures" / "cats" / "one.png", "cats/one.png")
    np.save(tmp_path / "array.npy", pixels)
    header = b"\0\0\x08\x03" + b"".join(size.to_bytes(4, "big") for size in pixels.shape)
    (tmp_path / "images.idx").write_bytes(header + pixels.tobytes())
    shutil.copytree(Path(digits.__file__).parent / "mnist", tmp_path / "cache" / "fashion-mnist")
    monkeypatch.setenv("MULLIGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(digits, "FASHION_SHA256", MNIST_SHA256)
    return {
        Mnist: Mnist("test"),
        FashionMnist: FashionMnist("test"),
        Folder: Folder(str(tmp_path / "pictures")),
        Archive: Archive(str(tmp_path / "pictures.zip")),
        ArrayFile: ArrayFile(str(tmp_path / "array.npy")),
        IdxFile: IdxFile(str(tmp_path / "images.idx")),
        Ring: Ring(100),
        StackedMnist: StackedMnist(50),
        Grid: Grid(100),
        Gaussian: Gaussian(100),
    }


@pytest.mark.parametrize("kind", get_args(Source))
def test_a_source_gives_bytes_for_images_and_floats_for_points(kind: type, places: dict[type, Any]) -> None:
    data = places[kind].load(8)
    if data.items.dtype == torch.uint8:
        assert data.items.shape[2:] == (8, 8)
        assert data.items.shape[1] in (1, 3)
    else:
        assert data.items.dtype == torch.float32
        assert data.items.dim() == 2
        assert data.truth is not None
    assert len(data) > 0
    assert data.labels is None or (len(data.labels) == len(data) and int(data.labels.max()) < len(data.label_names))


def test_mnist_is_in_the_box() -> None:
    train, test = Mnist().load(None), Mnist("test").load(None)
    assert train.items.shape == (60_000, 1, 28, 28)
    assert test.items.shape == (10_000, 1, 28, 28)
    assert train.labels is not None
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert train.items.float().mean().item() == pytest.approx(33.318, abs=0.01)  # 0.1307 of white, as everybody knows


def test_digits_are_resized_without_losing_their_brightness() -> None:
    small, large = Mnist("test").load(None), Mnist("test").load(32)
    assert large.items.shape == (10_000, 1, 32, 32)
    assert large.items.float().mean().item() == pytest.approx(small.items.float().mean().item(), rel=0.01)


def test_a_changed_byte_is_refused(tmp_path: Path) -> None:
    shutil.copytree(Path(digits.__file__).parent / "mnist", tmp_path / "mnist")
    path = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[100] ^= 1
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(DataError) as caught:
        load_files(tmp_path / "mnist", MNIST_SHA256, "test", DIGITS, None)
    assert str(caught.value) == (
        f"data={path} does not have the SHA-256 of the official file (ff7bcfd416de...); install or copy it again"
    )


def test_missing_fashion_says_where_it_looked_and_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULLIGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(Path, "is_file", lambda path: False)
    with pytest.raises(DataError) as caught:
        FashionMnist().load(None)
    assert str(caught.value) == (
        f"data=fashion-mnist was not found in {tmp_path}/fashion-mnist or /usr/share/datasets/fashion-mnist; "
        f"install Debian's package dataset-fashion-mnist or put its four .gz files into {tmp_path}/fashion-mnist"
    )


@pytest.mark.parametrize(("source", "modes"), [(Ring(20_000), 8), (Grid(20_000), 25)])
def test_real_points_score_as_a_perfect_sampler_does(source: Ring | Grid, modes: int) -> None:
    data = source.load(None)
    assert isinstance(data.truth, KnownMixture)
    scores = data.truth.scores(data.items.numpy())
    assert scores["modes"] == modes
    assert scores["high_quality"] == pytest.approx(0.9889, abs=0.005)
    assert scores["spread_ratio"] == pytest.approx(1.0, abs=0.02)


def test_the_gaussian_has_mean_b_and_covariance_a_transposed_a() -> None:
    data = Gaussian(200_000).load(None)
    assert data.truth is not None
    scores = data.truth.scores(data.items.numpy())
    assert scores["mean_error"] < 0.02
    assert scores["covariance_error"] < 0.02
    assert np.cov(data.items.numpy(), rowvar=False) == pytest.approx(np.array([[1.01, 1.95], [1.95, 4.25]]), abs=0.05)


def test_words_become_sources(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert source_from("mnist") == Mnist()
    assert source_from("fashion-mnist-test") == FashionMnist("test")
    assert source_from(str(tmp_path)) == Folder(str(tmp_path))
    assert source_from("x.NPZ") == ArrayFile("x.NPZ")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.png", b"")
    shutil.copy(tmp_path / "x.zip", tmp_path / "without an ending")
    shutil.copy(tmp_path / "x.zip", tmp_path / "x.npz")
    assert source_from(str(tmp_path / "x.zip")) == Archive(str(tmp_path / "x.zip"))
    assert source_from(str(tmp_path / "without an ending")) == Archive(str(tmp_path / "without an ending"))
    assert source_from(str(tmp_path / "x.npz")) == ArrayFile(str(tmp_path / "x.npz"))
    assert source_from(str(tmp_path / "file")) == IdxFile(str(tmp_path / "file"))


@pytest.mark.parametrize("kind", [Ring, Grid])
def test_a_points_label_is_the_mode_it_came_from(kind: type[Ring | Grid]) -> None:
    data = kind(50_000).load(None)
    assert isinstance(data.truth, KnownMixture)
    assert data.labels is not None
    for mode, centre in enumerate(data.truth.centres):
        own = data.items[data.labels == mode].double().numpy()
        assert len(own) == pytest.approx(50_000 / len(data.truth.centres), rel=0.1)
        assert own.mean(0) == pytest.approx(centre, abs=5 * data.truth.std / len(own) ** 0.5)
        assert np.cov(own, rowvar=False) / data.truth.std**2 == pytest.approx(np.eye(2), abs=0.15)


def test_the_rings_modes_lie_on_the_unit_circle() -> None:
    truth = Ring(10).load(None).truth
    assert isinstance(truth, KnownMixture)
    assert truth.std == 0.01
    assert truth.centres @ truth.centres.T == pytest.approx(
        np.cos(2 * np.pi / 8 * (np.arange(8)[:, None] - np.arange(8))), abs=1e-12
    )


def test_the_grids_modes_are_two_apart() -> None:
    truth = Grid(10).load(None).truth
    assert isinstance(truth, KnownMixture)
    assert truth.std == 0.05
    assert {tuple(centre) for centre in truth.centres} == {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}


def test_the_gaussians_truth_is_its_formula() -> None:
    truth = Gaussian(10).load(None).truth
    assert isinstance(truth, KnownGaussian)
    assert truth.mean.tolist() == [1.0, 2.0]
    assert truth.covariance == pytest.approx(np.array([[1.01, 1.95], [1.95, 4.25]]))


@pytest.mark.parametrize("kind", [Ring, Grid, Gaussian])
def test_points_are_a_function_of_their_seed(kind: type[Ring | Grid | Gaussian]) -> None:
    assert torch.equal(kind(50, 3).load(None).items, kind(50, 3).load(None).items)
    assert not torch.equal(kind(50, 3).load(None).items, kind(50, 4).load(None).items)


def test_made_up_fashion_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULLIGAN_CACHE", str(tmp_path))
    path = tmp_path / "fashion-mnist" / "train-images-idx3-ubyte.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress(b"\0\0\x08\x03\0\0\0\1\0\0\0\1\0\0\0\1\7"))
    with pytest.raises(DataError) as caught:
        FashionMnist().load(None)
    assert str(caught.value) == (
        f"data={path} does not have the SHA-256 of the official file (c59f468a2f67...); install or copy it again"
    )


def test_the_cache_comes_before_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULLIGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(Path, "is_file", lambda path: True)
    assert digits.fashion_folder() == tmp_path / "fashion-mnist"


def test_a_changed_digit_is_refused(tmp_path: Path) -> None:
    shutil.copytree(Path(digits.__file__).parent / "mnist", tmp_path / "mnist")
    path = tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] ^= 1
    path.write_bytes(gzip.compress(bytes(content), 1))
    with pytest.raises(DataError, match="does not have the SHA-256 of the official file"):
        load_files(tmp_path / "mnist", MNIST_SHA256, "test", DIGITS, None)


def test_every_digit_is_among_the_labels() -> None:
    data = Mnist("test").load(None)
    assert data.labels is not None
    assert data.labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.label_names == tuple("0123456789")


def test_a_word_nearly_right_is_put_right() -> None:
    with pytest.raises(DataError) as caught:
        source_from("mnits")
    assert str(caught.value) == "data=mnits does not exist and is no known name; did you mean mnist?"
