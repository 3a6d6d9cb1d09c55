"""`mulligan doctor`: what this machine offers, and what to install for what is missing."""

import os
import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import torch
import tyro

from mulligan.api import pick_device
from mulligan.cli.parsing import parse
from mulligan.cli.swapping import choices, swap_parts
from mulligan.data import FashionMnist, Mnist
from mulligan.errors import DataError, FeaturesError
from mulligan.features.inception import check, find_weights
from mulligan.forecast import forecast
from mulligan.machine import quick_in_bfloat16
from mulligan.recipe import Recipe
from mulligan.recipes import DEFAULT, named
from mulligan.threads import cores


@dataclass(frozen=True)
class DoctorOptions:
    """Look at this machine; with a recipe, and any of its fields changed, say also what a run of it will take."""

    recipe: Annotated[Recipe, tyro.conf.arg(name="")]
    device: str = "auto"  # cpu, cuda, mps or auto
    seconds: float = 6.0  # how long the recipe is tried for its forecast


def run(words: Sequence[str]) -> None:
    wanted = bool(words) and not words[0].startswith("-")
    recipe, left = swap_parts(named(words[0] if wanted else DEFAULT), list(words[1:] if wanted else words))
    options = parse(DoctorOptions, left, "doctor", DoctorOptions(recipe), choices())
    for name, finding in findings().items():
        print(f"{name:<16}{finding}")
    if words:
        found = forecast(options.recipe, options.device, options.seconds)
        print(f"{options.recipe.name:<16}{found.line()}")


def findings() -> dict[str, str]:
    """Every check and what it found, in words."""
    disk = shutil.disk_usage(Path.cwd())
    found = {
        "mulligan": version("mulligan"),
        "python": f"{platform.python_version()} on {platform.platform()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "pillow", "safetensors", "tyro", "rich")),
        "processor": f"{os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "threads": f"1 to {cores()}, by trial at the start of a run, unless the recipe says otherwise",
        "precision": "auto is " + ("bfloat16" if quick_in_bfloat16(pick_device("auto")) else "float32"),
        "layout": "channels last for convolutions, unless the recipe says otherwise",
        "graphs": "each step is one CUDA graph" if torch.cuda.is_available() else "none: they need CUDA",
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
