"""The report: one page that needs nothing else."""

import base64
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


def test_a_run_without_events_or_pictures_has_a_report_too(folder: RunFolder) -> None:
    page = write_report(folder).read_text()
    assert "0 of 2,000 images in 0 s (0 images/s)" in page
    assert "<img" not in page
    assert "<polyline" not in page


def test_scores_that_are_no_numbers_are_shown_and_left_out_of_the_curves(folder: RunFolder) -> None:
    events = [event(images, scores={"modes": float("nan"), "kl": float(images)}, passport={}) for images in (1_000, 1_500, 2_000)]
    events[1]["terms"]["generator.adversarial"] = float("inf")
    folder.write("events.jsonl", "".join(json.dumps(one) + "\n" for one in events))
    page = write_report(folder).read_text()
    assert "<th>modes<td>nan" in page
    assert "no finite values" in page
    assert not re.search(r'points="[^"]*(nan|inf)', page)


def test_names_of_terms_scores_and_devices_are_text_and_never_markup(folder: RunFolder) -> None:
    evil = "<script>alert(1)</script>"
    folder.write("recipe.json", json.dumps({"recipe": {"name": evil, "images": 10}, "machine": {"device": evil, "threads": 1}}))
    for images in (5, 10):
        folder.append_event(event(images, scores={evil: 1.0}, passport={evil: evil}) | {"terms": {evil: 1.0}})
    Image.new("L", (4, 4)).save(folder.path / "samples" / "<b>.png")
    page = write_report(folder).read_text()
    assert "<script" not in page
    assert "<b>" not in page
    assert page.count("&lt;script&gt;") >= 7


def test_every_term_has_a_curve_with_its_name(folder: RunFolder) -> None:
    for images in (5, 10):
        folder.append_event(event(images) | {"terms": {"generator.adversarial": 1.0, "discriminator.r1": 2.0}})
    page = write_report(folder).read_text()
    assert page.count("<polyline") == 3
    assert ">generator.adversarial</text>" in page
    assert ">discriminator.r1</text>" in page


def test_a_curve_goes_from_its_first_to_its_highest_point(folder: RunFolder) -> None:
    for images, apart in ((0, 0.0), (100, 1.0)):
        folder.append_event(event(1) | {"images": images, "told_apart": apart})
    assert re.search(r'points="44\.0,158\.0 632\.0,8\.0"', write_report(folder).read_text())


def test_a_long_run_has_a_report_of_bounded_size(folder: RunFolder) -> None:
    folder.write("events.jsonl", "".join(json.dumps(event(images)) + "\n" for images in range(1, 5_001)))
    assert len(write_report(folder).read_bytes()) < 50_000


def test_the_pictures_are_the_newest_and_eight_from_first_to_last(folder: RunFolder) -> None:
    for index in range(20):
        Image.new("L", (4, 4), index).save(folder.path / "samples" / f"{index:09d}.png")
    shown = [int(name) for name in re.findall(r"<figcaption>(\d+)</figcaption>", write_report(folder).read_text())]
    assert shown[0] == 19
    assert shown[1:] == sorted(shown[1:])
    assert (shown[1], shown[-1], len(shown)) == (0, 19, 9)


def test_the_embedded_picture_is_the_file(folder: RunFolder) -> None:
    Image.new("RGB", (4, 4), (1, 2, 3)).save(folder.path / "samples" / "000000001.png")
    Image.new("L", (4, 4), 9).save(folder.path / "real.png")
    page = write_report(folder).read_text()
    for path in (folder.path / "samples" / "000000001.png", folder.path / "real.png"):
        assert base64.b64encode(path.read_bytes()).decode() in page


def test_the_recipe_stands_on_the_page(folder: RunFolder) -> None:
    assert "&quot;images&quot;: 2000" in write_report(folder).read_text()
