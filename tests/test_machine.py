"""What a run says about the machine it began on, and what is told when it goes on elsewhere."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import mulligan
from mulligan.data import Grid
from mulligan.machine import Machine

HERE = replace(Machine.here(torch.device("cpu")), threads=1)


def test_the_same_machine_has_no_differences() -> None:
    assert Machine.recorded(json.loads(json.dumps(HERE.to_json()))) == HERE
    assert HERE.differences(HERE) == []


def test_each_difference_is_one_line() -> None:
    effect = "its numbers may differ in the last digits from here on"
    assert HERE.differences(replace(HERE, threads=7, torch_version="1.0")) == [
        f"this run began with threads 1 and goes on with 7: {effect}",
        f"this run began with torch {HERE.torch_version} and goes on with 1.0: {effect}",
    ]


def test_what_was_not_recorded_is_no_difference() -> None:
    assert Machine.recorded({}).differences(HERE) == []
    assert Machine.recorded({"machine": {"threads": "many"}}).threads is None


def test_another_number_of_threads_is_told_and_not_refused(tmp_path: Path) -> None:
    small: dict[str, Any] = {"data": Grid(count=64), "batch": 16, "images": 64}
    mulligan.train("grid", run=tmp_path / "run", device="cpu", **small)
    said: list[str] = []
    mulligan.resume(tmp_path / "run", threads=2, listener=lambda event: said.append(event.get("notice", "")))
    assert "this run began with threads 1 and goes on with 2: its numbers may differ in the last digits from here on" in said
