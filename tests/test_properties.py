"""Whatever the bytes or the JSON: a value that makes sense, or one error of ours. Drawn by hypothesis, the same every time."""

import gzip
import io
import json
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mulligan import codec
from mulligan.data.archive import Archive
from mulligan.data.arrays import ArrayFile
from mulligan.data.decode import Unreadable, read_picture
from mulligan.data.idx import IdxFile, read_idx
from mulligan.errors import DataError, MulliganError, RecipeError, RunFolderError
from mulligan.losses import Loss
from mulligan.packed import pack, peek, unpack
from mulligan.penalties import Penalty
from mulligan.recipe import Recipe
from mulligan.recipes import RECIPES, named
from mulligan.rundir import RunFolder
from mulligan.schedules import Schedule

FEW = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MANY = settings(FEW, max_examples=300)
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 6, 7), dtype=np.uint8)


def saved(save: Callable[[Any], object]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def zipped() -> bytes:
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a/one.png", "b/two.png"):
            archive.writestr(name, saved(lambda f: Image.fromarray(PIXELS[0]).save(f, "PNG")))
    return file.getvalue()


IDX = b"\0\0\x08\x03" + struct.pack(">III", *PIXELS.shape) + PIXELS.tobytes()
FILES: dict[str, bytes] = {
    "x.idx": IDX,
    "x.idx.gz": gzip.compress(IDX, mtime=0),
    "x.npy": saved(lambda file: np.save(file, PIXELS)),
    "x.npz": saved(lambda file: np.savez_compressed(file, samples=PIXELS, labels=np.arange(5))),
    "x.zip": zipped(),
}
PICTURES: dict[str, bytes] = {
    kind: saved(lambda file, kind=kind: Image.fromarray(np.stack([PIXELS[0]] * 3, 2)).save(file, kind))
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
}


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file with some bytes changed, and perhaps its end cut off."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, 6))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


def source(path: Path) -> Any:
    return {".idx": IdxFile, ".gz": IdxFile, ".zip": Archive}.get(path.suffix, ArrayFile)(str(path))


@pytest.mark.parametrize("name", FILES)
@MANY
@given(st.data())
def test_a_damaged_file_of_many_samples_is_read_or_refused(name: str, tmp_path: Path, data: st.DataObject) -> None:
    (tmp_path / name).write_bytes(data.draw(damaged(FILES[name])))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = source(tmp_path / name).load(8)
        except DataError as error:
            assert "\n" not in str(error)
            return
    assert len(found) >= 1
    assert found.items.dtype == (torch.uint8 if found.items.dim() == 4 else torch.float32)


@FEW
@given(st.binary(max_size=64))
def test_bytes_that_pass_for_an_idx_file_are_what_its_header_says(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(b"\0\0\x08" + content)
    try:
        array = read_idx(tmp_path / "x")
    except DataError:
        return
    sizes = struct.unpack(f">{content[0]}I", content[1 : 1 + 4 * content[0]])
    assert array.shape == sizes
    assert array.tobytes() == content[1 + 4 * content[0] :]


@pytest.mark.parametrize("kind", PICTURES)
@MANY
@given(st.data())
def test_a_damaged_picture_is_read_or_refused_without_a_warning(kind: str, data: st.DataObject) -> None:
    content = data.draw(damaged(PICTURES[kind]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            picture = read_picture(io.BytesIO(content), 8)
        except Unreadable as error:
            assert str(error)
            return
    assert picture.pixels.dtype == torch.uint8
    assert tuple(picture.pixels.shape) in ((1, 8, 8), (3, 8, 8))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_comes_back_from_its_json(name: str) -> None:
    assert Recipe.from_json(json.loads(json.dumps(named(name).to_json()))) == named(name)


@MANY
@given(JSON)
def test_any_json_is_a_recipe_or_refused(data: Any) -> None:
    with pytest.raises(RecipeError):
        Recipe.from_json(data)


@MANY
@given(st.data())
def test_a_recipe_with_any_value_anywhere_is_a_recipe_or_refused(data: st.DataObject) -> None:
    """Nothing else may come of it, and what is accepted is written back as it was read."""
    changed = json.loads(json.dumps(named(data.draw(st.sampled_from(sorted(RECIPES)))).to_json()))
    place: Any = changed
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        deeper = isinstance(place[key], (dict, list)) and place[key] and data.draw(st.booleans())
        if not deeper:
            break
        place = place[key]
    place[key] = data.draw(JSON)
    try:
        recipe = Recipe.from_json(changed)
    except RecipeError as error:
        assert "\n" not in str(error)
        return
    assert Recipe.from_json(recipe.to_json()) == recipe


@MANY
@given(
    st.sampled_from([Loss, Penalty, Schedule]), st.text(max_size=20) | st.from_regex(r"(r1|hinge|cosine|linear):[a-z]{1,8}=.{0,9}")
)
def test_any_words_are_a_part_or_refused(hint: Any, words: str) -> None:
    try:
        codec.from_words(hint, words, "--flag")
    except RecipeError as error:
        assert str(error).startswith("--flag")


PACKED = pack({"a": torch.arange(6.0), "b": torch.tensor(3)}, {"images_seen": 5, "text": "ü"})


@MANY
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


@FEW
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


@FEW
@given(JSON)
def test_any_recipe_file_is_a_run_or_refused(tmp_path: Path, data: Any) -> None:
    import mulligan

    (tmp_path / "run" / "checkpoints").mkdir(parents=True, exist_ok=True)
    for content in (data, {"recipe": data}, {"recipe": named("ring").to_json(), "machine": data, "versions": data}):
        (tmp_path / "run" / "recipe.json").write_text(json.dumps(content))
        with pytest.raises(MulliganError):
            mulligan.resume(tmp_path / "run", device="cpu")
