"""The report: one page that needs nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mulligan.report import write_report
from mulligan.rundir import RunFolder

FACTS = {"recipe": {"name": "<mine>", "images": 2_000}, "machine": {"device": "cpu", "threads": 1}}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path / "run")
    made.write("recipe.json", json.dumps(FACTS))
    return made


def event(images: int, **more: Any) -> dict[str, Any]:
    return {"images": images, "seconds": images / 100, "terms": {"generator.adversarial": 1 / images}, "told_apart": 0.6} | more


def test_the_page_holds_pictures_curves_and_scores_and_fetches_nothing(folder: RunFolder) -> None:
    for index in range(12):
        Image.new("L", (4, 4), index).save(folder.path / "samples" / f"{index:09d}.png")
    for images in (1_000, 2_000):
        folder.append_event(event(images, scores={"modes": 25.0}, passport={"n_fake": 2500}))
    page = write_report(folder).read_text()
    assert len(re.findall(r'src="data:image/png;base64,', page)) == 9
    assert page.count("<polyline") == 3
    assert "<th>modes<td>25" in page
    assert "n_fake 2500" in page
    assert "2,000 of 2,000 images in 20 s (100 images/s)" in page
    assert not re.search(r"https?://|<script|<link", page)


def test_names_are_text_and_never_markup(folder: RunFolder) -> None:
    page = write_report(folder).read_text()
    assert "<h1>&lt;mine&gt;</h1>" in page
    assert "<mine>" not in page


def test_a_run_that_has_only_begun_has_a_report_too(folder: RunFolder) -> None:
    folder.append_event(event(10))
    assert "<polyline" not in write_report(folder).read_text()
