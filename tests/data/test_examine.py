"""The data doctor's findings."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mulligan.data import Folder, Ring
from mulligan.data.examine import NEAR, exact_duplicates, examine, facts, near_duplicates
from mulligan.parts import Dataset

RNG = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Two classes; b is a copy of a, c is a recompressed, d is another picture, e is grey and f is none."""
    smooth = np.asarray(Image.fromarray(RNG.integers(0, 256, (5, 5, 3), dtype=np.uint8)).resize((40, 40)))
    for label in ("ant", "bee"):
        (tmp_path / label).mkdir()
    Image.fromarray(smooth).save(tmp_path / "ant" / "a.png")
    Image.fromarray(smooth).save(tmp_path / "ant" / "b.png")
    Image.fromarray(smooth).save(tmp_path / "bee" / "c.jpg", quality=90)
    Image.fromarray(255 - smooth).save(tmp_path / "ant" / "d.png")
    Image.fromarray(smooth[..., 0]).resize((30, 20)).save(tmp_path / "bee" / "e.png")
    (tmp_path / "bee" / "f.png").write_bytes(b"")
    return Folder(str(tmp_path))


def test_what_is_there_what_is_wrong_and_what_will_be_done(folder: Folder) -> None:
    report = json.loads(json.dumps(examine(folder.load(32))))
    assert report["count"] == 5
    assert report["shape"] == [3, 32, 32]
    assert report["sizes"] == {"40x40": 4, "30x20": 1}
    assert report["modes"] == {"RGB": 4, "L": 1}
    assert report["labels"] == {"ant": 3, "bee": 2}
    assert report["skipped"] == ["bee/f.png: it is empty"]
    assert report["exact_duplicates"] == [["ant/a.png", "ant/b.png"]]
    assert report["near_duplicates"] == [["ant/a.png", "bee/c.jpg"]]
    assert report["will_do"] == [
        "5 of 5 images: the centred square is cut out and resized to 32x32, antialiased",
        "1 grey images become colour images beside the others",
        "1 files are skipped",
        "2 classes are recorded as labels",
    ]


def test_points_are_looked_through_too() -> None:
    points = torch.tensor([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0]])
    report = examine(Dataset(points))
    assert report["exact_duplicates"] == [["0", "2"]]
    assert report["near_duplicates"] == []
    assert facts(Ring(50).load(None))["count"] == 50


@pytest.mark.parametrize(("difference", "near"), [(round(NEAR) - 1, True), (round(NEAR) + 1, False)])
def test_nearly_the_same_is_a_matter_of_the_mean_square(difference: int, near: bool) -> None:
    image = torch.from_numpy(RNG.integers(20, 200, (1, 1, 28, 28), dtype=np.uint8))
    pair = torch.cat([image, image + difference])
    assert near_duplicates(pair, [0, 1]) == ([[0, 1]] if near else [])


def test_a_difference_in_one_corner_is_seen_in_full() -> None:
    """Thumbnails only rule pairs out: what they cannot tell apart is compared pixel by pixel."""
    checks = torch.from_numpy((np.indices((32, 32)).sum(0) % 2 * 60).astype(np.uint8))[None, None]
    assert near_duplicates(torch.cat([checks, 60 - checks]), [0, 1]) == []


def test_chains_of_likeness_make_one_group() -> None:
    image = torch.full((1, 1, 16, 16), 100, dtype=torch.uint8)
    assert near_duplicates(torch.cat([image, image + 5, image + 10, image + 60]), [0, 1, 2, 3]) == [[0, 1, 2]]


def test_exact_means_every_byte() -> None:
    items = torch.from_numpy(RNG.integers(0, 256, (6, 3, 4, 4), dtype=np.uint8))
    items[4] = items[1]
    items[5] = items[2]
    items[5, 0, 0, 0] += 1
    assert exact_duplicates(items) == [[1, 4]]


def test_a_run_lists_what_was_skipped(folder: Folder, tmp_path: Path) -> None:
    import mulligan

    said: list[str] = []
    run = mulligan.train(
        mulligan.named("mnist").with_(data=folder, image_size=8, batch=4, images=8),
        run=tmp_path / "run",
        device="cpu",
        listener=lambda event: said.append(event.get("notice", "")),
    )
    report = json.loads((run.path / "data-report.json").read_text())
    assert report["skipped"] == ["bee/f.png: it is empty"]
    assert "(1 unreadable files skipped, listed in data-report.json)" in said[0]
