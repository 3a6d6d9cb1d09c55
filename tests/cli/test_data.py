"""`mulligan data check` as a person meets it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mulligan.cli import main


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    place = tmp_path / "pictures"
    place.mkdir()
    for index in range(3):
        Image.fromarray(np.full((9, 9), 80 * index, np.uint8)).save(place / f"{index}.png")
    Image.fromarray(np.full((9, 9), 80, np.uint8)).save(place / "again.png")
    for index in range(30):
        (place / f"bad{index:02d}.png").write_bytes(b"")
    return place


def test_the_report_names_what_matters(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(pictures), "--image-size", "8", "--out", str(pictures.parent / "report.json")]) == 0
    out = capsys.readouterr().out
    assert f"{pictures}: 4 samples of 1x8x8, 30 unreadable" in out
    assert "exactly the same: 1 groups\n  1.png, again.png" in out
    assert "  bad00.png: it is empty" in out
    assert "bad25.png" not in out
    assert "  and 10 more" in out
    assert "4 of 4 images: the centred square is cut out and resized to 8x8, antialiased" in out
    report = json.loads((pictures.parent / "report.json").read_text())
    assert len(report["skipped"]) == 30


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data"], "mulligan data nothing is no command; `mulligan data check SOURCE`"),
        (["data", "chek", "x"], "mulligan data chek is no command; did you mean check?"),
        (["data", "check", "mnst"], "data=mnst does not exist and is no known name; did you mean mnist?"),
        (["data", "check", "mnist", "--image-size", "0"], "--image-size=0 is too small; use 1 or more"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err == f"mulligan: {message}\n"
