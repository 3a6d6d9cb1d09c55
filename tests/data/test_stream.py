"""The order of the data: shuffled without replacement, and a function of (seed, images seen) only."""

import numpy as np
import pytest
import torch

from mulligan.data import Stream
from mulligan.errors import DataError

ITEMS = torch.arange(10)


def order(batches: int, batch: int = 4, seed: int = 0, **options: bool) -> np.ndarray:
    stream = Stream(ITEMS, batch, seed, **options)  # pyright: ignore[reportArgumentType]
    return np.concatenate([stream.at(index * batch).numpy() for index in range(batches)])


def test_every_epoch_is_a_permutation_and_no_two_are_alike() -> None:
    epochs = order(15).reshape(6, 10)
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 6


def test_a_batch_may_span_the_end_of_an_epoch() -> None:
    stream = Stream(ITEMS, 4, 0)
    assert stream.at(8).tolist() == [*order(5)[8:10], *order(5)[10:12]]


def test_any_batch_can_be_asked_for_at_any_time() -> None:
    sequential = [Stream(ITEMS, 4, 0).at(seen).tolist() for seen in range(0, 80, 4)]
    stream = Stream(ITEMS, 4, 0)
    for index in np.random.default_rng(0).permutation(20):
        assert stream.at(int(index) * 4).tolist() == sequential[index]


def test_the_seed_decides_the_order() -> None:
    assert np.array_equal(order(5), order(5))
    assert not np.array_equal(order(5), order(5, seed=1))


def test_whole_batches_leave_the_rest_of_an_epoch_out() -> None:
    epochs = order(6, whole_batches=True).reshape(3, 8)
    assert all(len(set(epoch)) == 8 for epoch in epochs)
    assert {int(one) for epoch in epochs for one in epoch} == set(range(10))


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        Stream(ITEMS, 11, 0)
    assert str(caught.value) == "batch=11 is larger than the data, which has 10 samples; use --batch 10 or less"


def test_the_order_does_not_depend_on_the_size_of_the_batch() -> None:
    one_by_one = order(60, batch=1)
    for batch in (3, 4, 7, 10):
        assert np.array_equal(order(60 // batch, batch=batch), one_by_one[: 60 // batch * batch])


def test_a_batch_may_begin_anywhere() -> None:
    one_by_one = order(40, batch=1)
    stream = Stream(ITEMS, 7, 0)
    assert all(np.array_equal(stream.at(seen).numpy(), one_by_one[seen : seen + 7]) for seen in range(33))


def test_the_same_epoch_of_two_seeds_differs() -> None:
    assert len({tuple(order(1, batch=10, seed=seed)) for seed in range(8)}) == 8


def test_whole_batches_that_fit_leave_nothing_out() -> None:
    assert np.array_equal(order(8, batch=5, whole_batches=True), order(8, batch=5))


def test_a_batch_may_be_all_the_data() -> None:
    assert sorted(order(1, batch=10)) == list(range(10))


def test_a_batch_holds_the_samples_at_its_positions_as_stored() -> None:
    images = torch.arange(10 * 4, dtype=torch.uint8).reshape(10, 1, 2, 2)
    stream = Stream(images, 3, 5)
    assert torch.equal(stream.at(9), images[torch.from_numpy(stream.positions(9))])


def test_no_epoch_of_one_seed_is_an_epoch_of_another() -> None:
    epochs = [tuple(epoch) for seed in range(4) for epoch in order(4, batch=10, seed=seed).reshape(4, 10)]
    assert len(set(epochs)) == 16
