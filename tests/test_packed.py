"""Tensors and facts in one file: back to the last bit, and nothing damaged passes for sound."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from mulligan.errors import RunFolderError
from mulligan.packed import KINDS, pack, unpack, write_packed

TENSORS: dict[str, Tensor] = {
    "weights": torch.arange(12, dtype=torch.float32).reshape(3, 4) / 7,
    "half": torch.tensor([1.5, -2.25], dtype=torch.bfloat16),
    "counter": torch.tensor(7),
    "places": torch.tensor([2**62 + 1, -3]),
    "precise": torch.tensor(1 / 3, dtype=torch.float64),
}


def test_tensors_and_facts_come_back_to_the_last_bit(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pack(TENSORS, {"images_seen": 5, "text": "ü"}))
    tensors, facts = unpack(tmp_path / "x")
    assert facts == {"images_seen": 5, "text": "ü"}
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert tensors[name].shape == tensor.shape
        assert torch.equal(tensors[name], tensor)


def damage(folder: Path, contents: Iterable[bytes]) -> list[bool]:
    """Whether each content is refused; what is not refused must hold the very same tensors and facts."""
    refused = []
    for content in contents:
        (folder / "x").write_bytes(content)
        try:
            tensors, facts = unpack(folder / "x")
        except RunFolderError:
            refused.append(True)
            continue
        refused.append(False)
        assert facts == {"images_seen": 5}
        assert tensors.keys() == TENSORS.keys()
        assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())
    return refused


def flips(whole: bytes, places: Iterable[int], by: int = 1) -> Iterator[bytes]:
    for place in places:
        content = bytearray(whole)
        content[place] ^= by
        yield bytes(content)


@pytest.mark.parametrize("by", [1, 32, 128, 255])
def test_no_flipped_byte_changes_what_is_read(by: int, tmp_path: Path) -> None:
    whole = pack(TENSORS, {"images_seen": 5})
    refused = damage(tmp_path, flips(whole, range(len(whole)), by))
    assert sum(refused) == len(whole)


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    whole = pack(TENSORS, {"images_seen": 5})
    assert all(damage(tmp_path, flips(whole, range(len(whole)))))


def test_a_hundred_flipped_bytes_of_the_tensors_are_noticed(tmp_path: Path) -> None:
    whole, rng = pack(TENSORS, {"images_seen": 5}), np.random.default_rng(0)
    start = 8 + int.from_bytes(whole[:8], "little")
    for _ in range(100):
        assert all(damage(tmp_path, flips(whole, [int(rng.integers(start, len(whole)))], int(rng.integers(1, 256)))))


def test_the_file_is_what_the_library_would_read_and_write(tmp_path: Path) -> None:
    content = pack(TENSORS, {"images_seen": 5})
    (tmp_path / "x").write_bytes(content)
    again = safetensors.torch.load_file(tmp_path / "x")
    assert again.keys() == TENSORS.keys()
    assert all(torch.equal(again[name], tensor) and again[name].dtype == tensor.dtype for name, tensor in TENSORS.items())
    start = 8 + int.from_bytes(content[:8], "little")
    library = safetensors.torch.save(TENSORS)
    assert content[start:] == library[8 + int.from_bytes(library[:8], "little") :]
    assert start % 8 == 0


def test_written_to_a_file_or_to_memory_it_is_the_same(tmp_path: Path) -> None:
    write_packed(tmp_path / "x", TENSORS, {"images_seen": 5})
    assert (tmp_path / "x").read_bytes() == pack(TENSORS, {"images_seen": 5})
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_every_kind_of_number_there_is_a_name_for_comes_back(tmp_path: Path) -> None:
    tensors = {str(kind): torch.tensor([[0, 1], [1, 0]]).to(kind) for kind in KINDS}
    write_packed(tmp_path / "x", tensors, {})
    again, _ = unpack(tmp_path / "x")
    assert all(again[name].dtype == tensor.dtype and torch.equal(again[name], tensor) for name, tensor in tensors.items())


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    whole = pack(TENSORS, {"images_seen": 5})
    assert all(damage(tmp_path, (whole[:length] for length in range(len(whole)))))


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor([float("nan"), float("inf"), -0.0]),
        torch.tensor(0.1),
        torch.tensor(-1.5, dtype=torch.bfloat16),
        torch.zeros(0, 3),
        torch.tensor([True, False]),
        torch.arange(6.0).reshape(2, 3).T,
    ],
    ids=["not finite", "a float32", "a bfloat16", "empty", "booleans", "transposed"],
)
def test_odd_tensors_come_back_to_the_last_bit(tensor: Tensor, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pack({"x": tensor}, {}))
    again = unpack(tmp_path / "x")[0]["x"]
    assert (again.dtype, again.shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(again.reshape(-1).view(torch.uint8), tensor.contiguous().reshape(-1).view(torch.uint8))


@pytest.mark.parametrize("attempt", range(8))
def test_facts_that_look_like_a_blank_digest_do_no_harm(attempt: int, tmp_path: Path) -> None:
    facts = {"name": "-" * 32, "quoted": '"digest":"' + "-" * 32 + '"'}
    (tmp_path / "x").write_bytes(pack({"digest": torch.zeros(attempt)}, facts))
    assert unpack(tmp_path / "x")[1] == facts
