"""Whatever stands in the files of a run: what it holds, or one error of ours. Drawn by hypothesis, the same every time."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mulligan
from mulligan.errors import MulliganError, RunFolderError
from mulligan.packed import pack, peek, unpack
from mulligan.recipes import named
from mulligan.rundir import RunFolder

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file with some bytes changed, and perhaps its end cut off."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, 6))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


PACKED = pack({"a": torch.arange(6.0), "b": torch.tensor(3)}, {"images_seen": 5, "text": "ü"})


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_checkpoint_is_noticed(tmp_path: Path, data: st.DataObject) -> None:
    content = data.draw(damaged(PACKED) | st.binary(max_size=200))
    (tmp_path / "x").write_bytes(content)
    for read in (unpack, peek):
        try:
            found = read(tmp_path / "x")
        except RunFolderError as error:
            assert "\n" not in str(error)
            continue
        assert read is peek or content == PACKED
        assert isinstance(found[1], dict)


@settings(max_examples=60)
@given(st.lists(st.one_of(st.binary(max_size=40), JSON.map(lambda value: json.dumps(value).encode()))))
def test_any_log_is_read_as_far_as_it_makes_sense(tmp_path: Path, lines: list[bytes]) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True, exist_ok=True)
    folder = RunFolder(tmp_path / "run")
    (folder.path / "events.jsonl").write_bytes(b'{"images": 1}\n' + b"\n".join(lines) + b"\n")
    events = folder.events()
    assert events[0] == {"images": 1}
    assert all(isinstance(event["images"], int) for event in events)
    folder.keep_events(len(events))
    assert folder.events() == events


@settings(max_examples=60)
@given(JSON)
def test_any_recipe_file_is_a_run_or_refused(tmp_path: Path, data: Any) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True, exist_ok=True)
    for content in (data, {"recipe": data}, {"recipe": named("ring").to_json(), "machine": data, "versions": data}):
        (tmp_path / "run" / "recipe.json").write_text(json.dumps(content))
        with pytest.raises(MulliganError):
            mulligan.resume(tmp_path / "run", device="cpu")
