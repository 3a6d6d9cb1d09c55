"""What is never trained on: the data's own test split, or a fixed share."""

from pathlib import Path

import numpy as np
import pytest
import torch

import mulligan
from mulligan.data import ArrayFile, FashionMnist, Gaussian, Grid, Mnist, Ring, StackedMnist, load_both, load_train
from mulligan.data.splits import own_test_split
from mulligan.errors import DataError, RecipeError
from mulligan.features import classifier
from mulligan.metrics import KnownMixture


@pytest.fixture
def array(tmp_path: Path) -> ArrayFile:
    images = np.arange(100, dtype=np.uint8)[:, None, None].repeat(8, 1).repeat(8, 2)
    np.savez(tmp_path / "images.npz", images=images, labels=np.arange(100) % 4)
    return ArrayFile(str(tmp_path / "images.npz"))


def test_a_share_is_held_out_always_the_same_and_never_trained_on(array: ArrayFile) -> None:
    train, test = load_both(array, None, 0.1)
    assert test is not None
    assert (len(train), len(test)) == (90, 10)
    assert train.held_out == 10
    values = [set(part.items[:, 0, 0, 0].tolist()) for part in (train, test)]
    assert values[0] | values[1] == set(range(100))
    assert not values[0] & values[1]
    assert test.labels is not None
    assert torch.equal(test.labels, test.items[:, 0, 0, 0].long() % 4)
    assert torch.equal(load_train(array, None, 0.1).items, train.items)
    again = load_both(array, None, 0.1)[1]
    assert again is not None
    assert torch.equal(again.items, test.items)


def test_a_share_of_nothing_holds_nothing_out(array: ArrayFile) -> None:
    train, test = load_both(array, None, 0.0)
    assert test is None
    assert len(train) == 100


@pytest.mark.parametrize(("source", "test"), [(Mnist(), Mnist("test")), (FashionMnist(), FashionMnist("test"))])
def test_data_with_a_test_split_of_its_own_is_trained_on_whole(source: Mnist, test: Mnist) -> None:
    assert own_test_split(source) == test


def test_mnist_loses_nothing_to_the_share() -> None:
    assert len(load_train(Mnist(), None, 0.5)) == 60_000


@pytest.mark.parametrize("kind", [Ring, Grid, Gaussian])
def test_points_of_the_test_split_are_fresh_ones_of_the_same_distribution(kind: type[Ring | Grid | Gaussian]) -> None:
    train, test = load_both(kind(500), None, 0.5)
    assert test is not None
    assert len(train) == len(test) == 500
    assert not torch.equal(train.items, test.items)
    assert type(train.truth) is type(test.truth)
    if isinstance(train.truth, KnownMixture) and isinstance(test.truth, KnownMixture):
        assert np.array_equal(train.truth.centres, test.truth.centres)


@pytest.mark.parametrize("share", [-0.1, 0.6, 2])
def test_a_share_that_leaves_too_little_is_refused(share: float) -> None:
    with pytest.raises(RecipeError, match="held_out"):
        mulligan.named("mnist").with_(held_out=share)


# stacked digits


def test_a_stack_is_three_digits_and_its_label_is_their_number() -> None:
    data, digits = StackedMnist(30).load(None), Mnist().load(None)
    assert data.shape == (3, 28, 28)
    assert data.labels is not None
    assert digits.labels is not None
    for stack, label in zip(data.items[:5], data.labels[:5], strict=True):
        for channel, digit in zip(stack, f"{int(label):03d}", strict=True):
            same = (digits.items[:, 0] == channel).flatten(1).all(1).nonzero()[0]
            assert int(digits.labels[same]) == int(digit)
    assert torch.equal(StackedMnist(30).load(None).items, data.items)
    assert not torch.equal(StackedMnist(30, data_seed=1).load(None).items, data.items)


def test_stacks_are_recognised_by_their_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real stacks cover what so many can; a single one repeated is one mode and log 1000 away."""
    monkeypatch.setattr(classifier, "SEEN", 16_000)
    data = StackedMnist(1_000, digits="all").load(None)
    assert data.truth is not None
    assert data.labels is not None
    found = data.truth.scores(data.items.numpy())
    assert found["modes"] == pytest.approx(len(data.labels.unique()), rel=0.1)
    assert found["kl"] == pytest.approx(found["kl_floor"], rel=0.3)
    collapsed = data.truth.scores(data.items[:1].expand(200, -1, -1, -1).numpy())
    assert collapsed["modes"] == 1
    assert collapsed["kl"] == pytest.approx(np.log(1_000))
    assert collapsed["sure_modes"] <= 1


@pytest.mark.parametrize("count", [0, 10_000_000])
def test_a_number_of_stacks_that_fits_no_memory_is_refused(count: int) -> None:
    with pytest.raises(DataError, match="count"):
        StackedMnist(count).load(None)
