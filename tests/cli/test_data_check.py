"""`mulligan data check` as a person meets it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mulligan.cli import main


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two labels, three pictures of which two are the same, and twenty-two files that are none."""
    for name, seed in (("ant/1.png", 1), ("bee/2.png", 2), ("bee/3.png", 1)):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 20, 3), dtype=np.uint8)).save(path)
    for number in range(22):
        (tmp_path / "pictures" / "ant" / f"bad {number:02d}.png").write_bytes(b"")
    return tmp_path / "pictures"


def test_the_report_is_printed_and_nothing_is_written(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(pictures.parent.rglob("*"))
    assert main(["data", "check", str(pictures), "--image-size", "8"]) == 0
    lines = capsys.readouterr().out.splitlines()
    blank = " " * 16
    assert lines[:7] == [
        "samples         3 images of 3x8x8, uint8",
        "sizes           20x12: 3",
        "modes           RGB: 3",
        "labels          ant: 1, bee: 2",
        "same            2 samples alike to the last bit, in 1 group",
        f"{blank}ant/1.png = bee/3.png",
        "nearly the same none",
    ]
    assert lines[7] == "skipped         22 files are unreadable"
    assert lines[8:28] == [f"{blank}ant/bad {number:02d}.png: it is empty" for number in range(20)]
    assert lines[28:] == [
        f"{blank}and 2 more",
        "will do         crop the centre square and resize to 8x8: 3 images are not of that size",
        f"{blank}labels are found and not used: every recipe learns all of them together",
        f"{blank}22 files are skipped",
    ]
    assert sorted(pictures.parent.rglob("*")) == before


def test_out_takes_everything_as_json(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(pictures), "--out", str(tmp_path / "report.json")]) == 0
    assert capsys.readouterr().out.endswith(f"wrote all of it to {tmp_path}/report.json\n")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["shape"] == [3, 64, 64]
    assert len(report["skipped"]) == 22
    assert report["exact_duplicates"] == [["ant/1.png", "bee/3.png"]]


def test_points_have_no_near_duplicates(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", "gaussian"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "samples         1,000 points of 2, float32",
        "same            none",
        "skipped         nothing",
        "will do         points are used as they are",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "mulligan data needs to know what to do; write `mulligan data check SOURCE`"),
        (["chekc"], "mulligan data has no chekc; did you mean check?"),
        (["mnist"], "mulligan data has no mnist; write `mulligan data check SOURCE`"),
        (["check"], "mulligan data check needs to know what to look at; write `mulligan data check SOURCE`"),
        (["check", "mnits"], "data=mnits does not exist and is no known name; did you mean mnist?"),
        (["check", "mnist", "--image-size", "0"], "--image-size=0 is too small; use 1 or more"),
        (["check", "mnist", "--imagesize", "5"], "mulligan data check has no --imagesize; did you mean --image-size?"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", *words]) == 2
    assert capsys.readouterr().err == f"mulligan: {message}\n"


def test_help_shows_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["data", "--help"])
    assert caught.value.code == 0
    assert "--image-size" in capsys.readouterr().out
