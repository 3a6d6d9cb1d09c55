"""What scores are measured in: the same sample has the same features, and the name and digest say whose they are."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mulligan.data import Mnist
from mulligan.errors import FeaturesError
from mulligan.features import Classifier, Features, Identity, Inception, Pixels, Script, classifier, default_features, open_features
from mulligan.features import inception as inception_module
from mulligan.features.classifier import accuracy
from mulligan.features.inception import as_colours, check, content_digest, find_weights, fuse
from mulligan.features.inception_network import ConvNorm, InceptionNetwork
from mulligan.features.resize import clean, tf_bilinear
from mulligan.parts import Dataset

CPU = torch.device("cpu")


def images(count: int = 40, channels: int = 1, side: int = 8, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, channels, side, side), dtype=np.uint8))


def labelled(count: int = 40) -> Dataset:
    """Bright and dark images, and which is which."""
    labels = torch.arange(count) % 2
    return Dataset((images(count) // 4 + 150 * labels[:, None, None, None]).to(torch.uint8), labels, ("dark", "bright"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "SEEN", 3_200)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    torch.jit.save(torch.jit.trace(net, torch.zeros(2, 1, 8, 8)), str(tmp_path / "own.pt"))
    return tmp_path / "own.pt"


# all kinds


@pytest.mark.filterwarnings("ignore:`torch.jit")  # the user's choice of format
@pytest.mark.parametrize("kind", [kind for kind in get_args(Features) if kind is not Inception])
def test_features_are_the_samples_own_whatever_stands_beside_them(kind: type, script: Path, quick: None) -> None:
    spec = Script(str(script)) if kind is Script else kind()
    data = Dataset(torch.randn(40, 3)) if kind is Identity else labelled()
    extractor = open_features(spec, data, CPU)
    whole = extractor(data.items)
    assert whole.dtype == np.float64
    assert len(whole) == 40
    assert np.array_equal(extractor(data.items[7:12]), whole[7:12])
    shuffled = torch.from_numpy(np.random.default_rng(0).permutation(40))
    assert np.array_equal(extractor(data.items[shuffled]), whole[shuffled.numpy()])
    assert len(extractor.digest) == 64
    assert set(extractor.passport()) >= {"features", "features_sha256", "resize"}


@pytest.mark.parametrize("spec", [Inception(), Classifier(), Pixels()])
def test_features_of_images_are_not_of_points(spec: Features) -> None:
    with pytest.raises(FeaturesError, match="points"):
        open_features(spec, Dataset(torch.zeros(5, 2)), CPU)


def test_points_need_no_network_and_images_take_the_labels_where_there_are_some() -> None:
    assert default_features(Dataset(torch.zeros(5, 2))) == Identity()
    assert default_features(Dataset(images())) == Pixels()
    assert default_features(labelled()) == Classifier()
    with pytest.raises(FeaturesError, match="use pixels"):
        open_features(Identity(), Dataset(images()), CPU)


# own


def test_a_module_or_a_function_of_the_users_own_is_named_and_told_apart() -> None:
    class Mine(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            assert x.min() >= -1
            assert x.max() <= 1
            return super().forward(x.flatten(1))

    def brightness(x: Tensor) -> Tensor:
        return x.mean((2, 3))

    data = Dataset(images())
    one, other = (open_features(Mine(64, 3), data, CPU) for _ in range(2))
    assert one.name == "Mine"
    assert one.digest != other.digest
    assert one(data.items).shape == (40, 3)
    found = open_features(brightness, data, CPU)
    assert found.name == "brightness"
    assert found(data.items)[:, 0] == pytest.approx((data.items.double().mean((1, 2, 3)) / 127.5 - 1).numpy(), abs=1e-6)


def test_a_module_that_gives_no_rows_is_refused() -> None:
    with pytest.raises(FeaturesError, match="one row of numbers"):
        open_features(lambda x: x.mean(), Dataset(images()), CPU)(images())


def test_a_file_that_is_no_torchscript_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("no")
    with pytest.raises(FeaturesError, match="no TorchScript"):
        Script(str(tmp_path / "text.pt")).open(Dataset(images()), CPU)
    with pytest.raises(FeaturesError, match="does not exist"):
        Script(str(tmp_path / "absent.pt")).open(Dataset(images()), CPU)


# classifier


def test_the_classifier_learns_the_labels_once_and_is_kept(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    data = labelled()
    first = Classifier().open(data, CPU)
    features = first(data.items)
    assert features.shape == (40, 128)
    assert data.labels is not None
    assert accuracy(first, features, data.labels) == 1.0
    assert first.probabilities is not None
    assert first.probabilities(features).sum(1) == pytest.approx(1)

    def forbidden(net: nn.Module, data: Dataset) -> None:
        raise AssertionError("it was in the cache")

    monkeypatch.setattr(classifier, "learn", forbidden)
    assert Classifier().open(data, CPU).digest == first.digest
    with pytest.raises(AssertionError, match="in the cache"):
        Classifier().open(Dataset(data.items.flip(0), data.labels, data.label_names), CPU)


def test_a_damaged_classifier_in_the_cache_learns_again(quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULLIGAN_CACHE", str(tmp_path))
    digest = Classifier().open(labelled(), CPU).digest
    (kept,) = (tmp_path / "classifiers").iterdir()
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(content)
    assert Classifier().open(labelled(), CPU).digest == digest


def test_learning_leaves_the_runs_random_numbers_alone(quick: None) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    Classifier().open(labelled(), CPU)
    assert torch.equal(torch.get_rng_state(), before)


def test_digits_are_learnt_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "SEEN", 16_000)
    test = Mnist("test").load(None)
    extractor = Classifier().open(test, CPU)
    train = Mnist().load(None)
    assert train.labels is not None
    assert accuracy(extractor, extractor(train.items[:2_000]), train.labels[:2_000]) > 0.9


def test_labels_are_needed() -> None:
    with pytest.raises(FeaturesError, match="no labels; use pixels or inception"):
        Classifier().open(Dataset(images()), CPU)


# pixels


def test_pixels_are_the_image_from_0_to_1_and_larger_ones_are_made_smaller() -> None:
    small = Dataset(images())
    assert Pixels().open(small, CPU)(small.items) == pytest.approx(small.items.flatten(1).numpy() / 255, abs=1e-7)
    large = Dataset(images(3, 3, 64))
    extractor = Pixels().open(large, CPU)
    assert extractor(large.items).shape == (3, 3 * 32 * 32)
    assert extractor.resize == "antialiased 32"


# the cache of slow features


def test_slow_features_of_real_samples_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULLIGAN_CACHE", str(tmp_path))
    calls = []

    def counted(x: Tensor) -> Tensor:
        calls.append(len(x))
        return x.flatten(1).float()

    extractor = inception_module.Extractor("slow", "0" * 64, counted, chunk=16, slow=True)
    first = extractor.of_real(images())
    assert sum(calls) == 48
    assert np.array_equal(extractor.of_real(images()), first)
    assert sum(calls) == 48
    extractor.of_real(images(seed=1))
    assert sum(calls) == 96
    other = inception_module.Extractor("slow", "0" * 64, counted, resize="other", chunk=16, slow=True)
    other.of_real(images())
    assert sum(calls) == 144
    extractor(images())
    assert sum(calls) == 192


# resizing


def test_tf_bilinear_is_what_tensorflow_1_did() -> None:
    """By its definition, pixel by pixel: the source of pixel i is i times the ratio of the sizes, without half a pixel's shift."""
    small = images(2, 1, 5)
    found = tf_bilinear(small, 13)
    for row in range(13):
        for column in range(13):
            y, x = row * 5 / 13, column * 5 / 13
            top, left = int(y), int(x)
            bottom, right = min(top + 1, 4), min(left + 1, 4)
            corners = small[:, 0].double()
            upper = corners[:, top, left] * (1 - (x - left)) + corners[:, top, right] * (x - left)
            lower = corners[:, bottom, left] * (1 - (x - left)) + corners[:, bottom, right] * (x - left)
            assert found[:, 0, row, column].double() == pytest.approx(upper * (1 - (y - top)) + lower * (y - top), abs=1e-3)


def test_clean_resizing_is_pillows_antialiased_bicubic() -> None:
    from PIL import Image

    large = images(1, 3, 40)
    found = clean(large, 10)
    planes = [Image.fromarray(plane.numpy().astype(np.float32)) for plane in large[0]]
    wanted = [np.asarray(plane.resize((10, 10), Image.Resampling.BICUBIC)).clip(0, 255) for plane in planes]
    assert np.array_equal(found[0].numpy(), np.stack(wanted))
    assert not torch.allclose(found, tf_bilinear(large, 10), atol=5)


@pytest.mark.parametrize("how", [tf_bilinear, clean])
def test_an_even_image_stays_even_at_any_size(how: Callable[[Tensor, int], Tensor]) -> None:
    assert how(torch.full((1, 3, 9, 7), 77, dtype=torch.uint8), 20) == pytest.approx(torch.full((1, 3, 20, 20), 77.0))


# Inception


def test_inception_has_the_layers_of_2015() -> None:
    with torch.device("meta"):
        net = InceptionNetwork()
        weights = net.state_dict()
    assert sum(isinstance(module, ConvNorm) for module in net.modules()) == 94
    assert sum(value.numel() for value in net.parameters()) == 21_785_568
    assert weights["Mixed_7c.branch3x3dbl_3b.conv.weight"].shape == (384, 384, 3, 1)
    assert all(module.bn.eps == 1e-3 for module in net.modules() if isinstance(module, ConvNorm))


def test_inception_gives_2048_features_and_fusing_changes_none() -> None:
    net = InceptionNetwork().eval()
    for module in net.modules():
        if isinstance(module, ConvNorm):
            torch.nn.init.uniform_(module.bn.get_buffer("running_mean"), -0.1, 0.1)
            torch.nn.init.uniform_(module.bn.get_buffer("running_var"), 0.5, 1.5)
    x = torch.rand(1, 3, 299, 299) * 2 - 1
    with torch.no_grad():
        before = net(x)
        fuse(net)
        after = net(x)
    assert before.shape == (1, 2_048)
    assert torch.allclose(before, after, rtol=1e-3, atol=1e-6)


def test_the_pools_of_inception_do_not_count_padding_and_the_last_takes_the_largest() -> None:
    net = InceptionNetwork()
    even = torch.ones(1, 1, 4, 4)
    assert torch.equal(net.Mixed_5b.pooled(even), even)
    peak = torch.zeros(1, 1, 3, 3)
    peak[0, 0, 1, 1] = 9
    assert float(net.Mixed_7b.pooled(peak)[0, 0, 1, 1]) == 1
    assert float(net.Mixed_7c.pooled(peak)[0, 0, 1, 1]) == 9


def test_grey_images_stand_for_three_colours_and_a_fourth_channel_is_left_out() -> None:
    assert as_colours(torch.zeros(2, 1, 4, 4)).shape == (2, 3, 4, 4)
    assert as_colours(torch.zeros(2, 4, 4, 4)).shape == (2, 3, 4, 4)


def test_only_known_weights_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of other weights, or with one number changed, is never unpickled."""
    monkeypatch.setattr(torch, "load", lambda *args, **kwargs: pytest.fail("it was opened"))
    torch.save({"Conv2d_1a_3x3.conv.weight": torch.zeros(3)}, tmp_path / "inception_2015_pool3.pth")
    with pytest.raises(FeaturesError, match="no known file of weights"):
        Inception(str(tmp_path / "inception_2015_pool3.pth")).open(Dataset(images()), CPU)
    (tmp_path / "text.pth").write_text("no")
    with pytest.raises(FeaturesError, match="no known file"):
        check(tmp_path / "text.pth")
    with pytest.raises(FeaturesError, match="does not exist"):
        check(tmp_path / "absent.pth")


def test_the_digest_is_of_the_weights_and_not_of_their_packing(tmp_path: Path) -> None:
    torch.save({"a": torch.arange(5.0)}, tmp_path / "one.pth")
    torch.save({"a": torch.arange(5.0)}, tmp_path / "another_name.pth")
    torch.save({"a": torch.arange(1.0, 6.0)}, tmp_path / "other.pth")
    one, two, other = (content_digest(tmp_path / f"{name}.pth") for name in ("one", "another_name", "other"))
    assert one == two != other
    with zipfile.ZipFile(tmp_path / "one.pth", "a") as archive:
        archive.writestr("one/note.txt", "more")
    assert content_digest(tmp_path / "one.pth") == one


def test_without_weights_a_line_says_where_they_belong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULLIGAN_CACHE", str(tmp_path / "none"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    with pytest.raises(FeaturesError, match=r"needs the weights of 2015.*use --features classifier"):
        find_weights()
