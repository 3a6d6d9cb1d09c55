"""The report on data: what is there, what is wrong with it, what will be done."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mulligan.data import Folder, Mnist, Ring
from mulligan.data.report import describe, describe_text, duplicates
from mulligan.parts import Dataset


def save(path: Path, size: tuple[int, int], mode: str = "RGB", seed: int = 0) -> None:
    path.parent.mkdir(exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)


def test_a_folder_is_described_in_full(tmp_path: Path) -> None:
    save(tmp_path / "cats" / "a.png", (20, 12), seed=1)
    save(tmp_path / "cats" / "b.png", (16, 16), "L", seed=2)
    save(tmp_path / "dogs" / "c.png", (16, 16), "RGBA", seed=3)
    save(tmp_path / "dogs" / "d.png", (9, 9), seed=4)
    (tmp_path / "dogs" / "bad.png").write_bytes(b"")
    Image.fromarray(np.arange(256, dtype=np.uint16).reshape(16, 16) * 200).save(tmp_path / "dogs" / "deep.png")
    assert describe(Folder(str(tmp_path)).load(16)) == {
        "count": 5,
        "shape": [3, 16, 16],
        "dtype": "uint8",
        "sizes": {"16x16": 3, "20x12": 1, "9x9": 1},
        "modes": {"RGB": 2, "I;16": 1, "L": 1, "RGBA": 1},
        "labels": {"cats": 2, "dogs": 3},
        "skipped": ["dogs/bad.png: it is empty"],
        "will_do": [
            "crop the centre square and resize to 16x16: 2 images are not of that size",
            "2 images are smaller than that and enlarged, which blurs",
            "grey images become RGB beside colour ones: 2 images are grey",
            "1 image is of more than eight bits and brought to eight",
            "1 image is partly transparent: what lies under the transparency is shown",
            "labels are found and not used: every recipe learns all of them together",
            "1 file is skipped",
        ],
    }


def test_digits_are_used_as_they_are_or_resized() -> None:
    assert describe(Mnist("test").load(None))["will_do"][0] == "images are used as they are"
    facts = describe(Mnist("test").load(32))
    assert facts["sizes"] == {"28x28": 10_000}
    assert facts["shape"] == [1, 32, 32]
    assert facts["labels"]["1"] == 1_135
    assert facts["will_do"][:2] == [
        "resize to 32x32: 10,000 images are not of that size",
        "10,000 images are smaller than that and enlarged, which blurs",
    ]


def test_points_have_no_sizes() -> None:
    facts = describe(Ring(100).load(None))
    assert (facts["shape"], facts["dtype"], facts["sizes"], facts["modes"]) == ([2], "float32", {}, {})
    assert sum(facts["labels"].values()) == 100
    assert facts["will_do"][0] == "points are used as they are"


def test_the_report_is_json_whatever_the_names(tmp_path: Path) -> None:
    for name in ("a\nb", "猫", "c"):
        save(tmp_path / name / "x.png", (9, 9))
    assert json.loads(describe_text(Folder(str(tmp_path)).load(8)))["labels"] == {"a\nb": 1, "c": 1, "猫": 1}


def test_a_label_without_samples_is_counted_too() -> None:
    data = Dataset(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.tensor([0, 2]), ("a", "b", "c"))
    assert describe(data)["labels"] == {"a": 1, "b": 0, "c": 1}


def test_duplicates_go_by_their_files_or_by_position(tmp_path: Path) -> None:
    for name, seed in (("a.png", 1), ("b.png", 2), ("c.png", 1)):
        save(tmp_path / name, (16, 16), seed=seed)
    data = Folder(str(tmp_path)).load(16)
    assert duplicates(data) == {"exact_duplicates": [["a.png", "c.png"]], "near_duplicates": []}
    assert duplicates(Dataset(data.items)) == {"exact_duplicates": [[0, 2]], "near_duplicates": []}
