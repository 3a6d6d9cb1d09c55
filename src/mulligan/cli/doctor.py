"""`mulligan doctor`: what this machine offers, and what to install for what is missing."""

import os
import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from mulligan.cli.parsing import parse
from mulligan.data import FashionMnist, Mnist
from mulligan.errors import DataError, FeaturesError
from mulligan.features.inception import check, find_weights


@dataclass(frozen=True)
class DoctorOptions:
    """Look at this machine."""


def run(words: Sequence[str]) -> None:
    parse(DoctorOptions, words, "doctor")
    for name, finding in findings().items():
        print(f"{name:<16}{finding}")


def findings() -> dict[str, str]:
    """Every check and what it found, in words."""
    disk = shutil.disk_usage(Path.cwd())
    found = {
        "mulligan": version("mulligan"),
        "python": f"{platform.python_version()} on {platform.platform()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "pillow", "safetensors", "tyro", "rich")),
        "processor": f"{os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "threads": f"{torch.get_num_threads()} unless the recipe says otherwise",
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else "not available; the CPU is used",
        "mps": "available" if torch.backends.mps.is_available() else "not available",
        "disk": f"{disk.free >> 30} GiB free in {Path.cwd()}",
    }
    for name, source in (("mnist", Mnist("test")), ("fashion-mnist", FashionMnist("test"))):
        try:
            found[name] = f"ready: {len(source.load(None)):,} test images, checksums right"
        except DataError as error:
            found[name] = f"missing: {error}"
    try:
        weights = find_weights()
        found["inception"] = f"ready: {weights}, SHA-256 {check(weights)[:16]}..., so FID can be measured"
    except FeaturesError as error:
        found["inception"] = f"missing: {error}"
    return found
