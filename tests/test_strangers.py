"""Run folders and model files from strangers: nothing in them runs, and memory is taken only for what they hold."""

import copy
import json
import os
import pickle
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import mulligan
from mulligan.data import Grid
from mulligan.errors import MulliganError
from mulligan.networks import MlpGenerator
from mulligan.packed import pack, unpack
from mulligan.recipes import named


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("strangers") / "run"
    recipe = named("grid").with_(data=Grid(count=64), batch=16, images=64, report_every_images=16)
    return mulligan.train(recipe, run=path, device="cpu").path


class Exploding:
    def __init__(self, target: Path):
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


def checkpoint(run: Path) -> Path:
    return sorted((run / "checkpoints").glob("*.safetensors"))[-1]


def recipe_with(**changes: Any) -> Callable[[Path, Path], None]:
    """Put values at places in the recipe, `.` between names."""

    def harm(run: Path, target: Path) -> None:
        facts = json.loads((run / "recipe.json").read_text())
        for path, value in changes.items():
            *outer, last = path.split("__")
            place = facts["recipe"]
            for name in outer:
                place = place[name]
            place[last] = value
        (run / "recipe.json").write_text(json.dumps(facts))

    return harm


def model_with(**changes: Any) -> Callable[[Path, Path], None]:
    def harm(run: Path, target: Path) -> None:
        tensors, facts = unpack(run / "model.safetensors")
        facts = copy.deepcopy(facts)
        for path, value in changes.items():
            *outer, last = path.split("__")
            place = facts
            for name in outer:
                place = place[name]
            place[last] = value
        (run / "model.safetensors").write_bytes(pack(tensors, facts))

    return harm


def file_with(name: str, make: Callable[[Path], bytes]) -> Callable[[Path, Path], None]:
    """Replace a file; `checkpoint` is the newest."""

    def harm(run: Path, target: Path) -> None:
        for old in sorted((run / "checkpoints").glob("*"))[:-1]:
            old.unlink()
        (checkpoint(run) if name == "checkpoint" else run / name).write_bytes(make(target))

    return harm


def huge(run: Path, target: Path) -> None:
    """A file of a terabyte that takes no room on the disk."""
    header = json.dumps({"a": {"dtype": "U8", "shape": [1 << 40], "data_offsets": [0, 1 << 40]}, "__metadata__": {"digest": "x"}})
    for path in [run / "model.safetensors", *(run / "checkpoints").glob("*.safetensors")]:
        path.write_bytes(struct.pack("<Q", len(header)) + header.encode())
        os.truncate(path, 8 + len(header) + (1 << 40))


def pipes(run: Path, target: Path) -> None:
    for path in [run / "model.safetensors", *(run / "checkpoints").glob("*.safetensors")]:
        path.unlink()
        os.mkfifo(path)


def saved_by_torch(target: Path) -> bytes:
    place = target.with_suffix(".pt")
    torch.save({"x": Exploding(target)}, place)
    return place.read_bytes()


DEEP = b"[" * 100_000
HARM: dict[str, Callable[[Path, Path], None]] = {
    "a type that names code": recipe_with(generator={"type": "os:system", "command": "touch x"}),
    "a data source that names code": recipe_with(data={"type": "__import__('os').system('true')"}),
    "networks of a hundred gigabytes": recipe_with(generator__hidden=[160_000, 160_000]),
    "networks of more than there is": recipe_with(discriminator__hidden=[10**9, 10**9]),
    "a width below zero": recipe_with(generator__hidden=[-5]),
    "a billion latents": recipe_with(latents={"type": "normal", "size": 10**9}),
    "a mixture of a trillion centres": recipe_with(latents={"type": "normal-mixture", "size": 8, "centres": 10**12}),
    "a trillion points": recipe_with(data={"type": "grid", "count": 10**12}),
    "a picture of a billion samples": recipe_with(picture={"type": "scatter", "count": 10**9}),
    "a picture a billion pixels wide": recipe_with(picture={"type": "scatter", "side": 10**9}),
    "a seed beyond every number": recipe_with(seed=10**40),
    "numbers that are none": recipe_with(generator_optimizer={"rate": float("nan")}),
    "a recipe nested without end": file_with("recipe.json", lambda target: b'{"recipe": ' + DEEP),
    "a pickled recipe": file_with("recipe.json", lambda target: pickle.dumps(Exploding(target))),
    "a pickled checkpoint": file_with("checkpoint", lambda target: pickle.dumps(Exploding(target))),
    "a checkpoint by torch.save": file_with("checkpoint", saved_by_torch),
    "a header nested without end": file_with("checkpoint", lambda target: struct.pack("<Q", len(DEEP)) + DEEP),
    "a header of exabytes": file_with("checkpoint", lambda target: struct.pack("<Q", 1 << 62) + b"{}"),
    "a checkpoint without facts": file_with("checkpoint", lambda target: pack({"a": torch.zeros(1)}, {})),
    "a terabyte of nothing": huge,
    "a pickled model": file_with("model.safetensors", lambda target: pickle.dumps(Exploding(target))),
    "a model by torch.save": file_with("model.safetensors", saved_by_torch),
    "a model that names code": model_with(generator={"type": "os:system"}),
    "a model of a hundred gigabytes": model_with(generator__hidden=[160_000, 160_000]),
    "a model with a billion latents": model_with(latents={"type": "normal", "size": 10**9}),
    "a model of pictures a mile wide": model_with(shape=[3, 10**6, 10**6]),
    "a model of no shape": model_with(shape=None),
}
if hasattr(os, "mkfifo"):
    HARM["pipes that never end"] = pipes


OPEN_ALL = """
import re, sys
from pathlib import Path
import mulligan
from mulligan.errors import MulliganError
from mulligan.networks import MlpGenerator
run = sys.argv[1]
def peak():
    status = Path("/proc/self/status")
    return int(re.search("VmHWM:\\\\s+(\\\\d+)", status.read_text())[1]) / 1024 if status.exists() else 0.0
mulligan.load(sys.argv[2]).sample(4)
mulligan.resume(sys.argv[2])
before = peak()
for harm in sorted(Path(run).iterdir()):
    refused = []
    for act in (lambda: mulligan.resume(harm), lambda: mulligan.load(harm).sample(4)):
        try:
            act()
        except MulliganError as error:
            assert "\\n" not in str(error), harm
            refused.append(str(error))
    print(f"{harm.name}: {' | '.join(refused)}")
print("peak", peak() - before)
"""


def test_a_corpus_of_hostile_run_folders_runs_nothing_and_takes_no_memory(honest: Path, tmp_path: Path) -> None:
    target = tmp_path / "exploded"
    for name, harm in HARM.items():
        shutil.copytree(honest, tmp_path / "runs" / name)
        harm(tmp_path / "runs" / name, target)
    words = [sys.executable, "-c", OPEN_ALL, str(tmp_path / "runs"), str(honest)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not target.exists()
    *lines, last = done.stdout.splitlines()
    accepted = [line for line in lines if line.endswith(": ")]
    assert accepted == []
    assert len(lines) == len(HARM)
    found = re.fullmatch(r"peak ([\d.]+)", last)
    assert found and float(found.group(1)) < 200


def test_an_honest_run_is_opened_as_ever(honest: Path) -> None:
    assert mulligan.load(honest).sample(3).shape == (3, 2)


def test_what_is_refused_is_said_in_one_line(honest: Path, tmp_path: Path) -> None:
    shutil.copytree(honest, tmp_path / "run")
    HARM["networks of a hundred gigabytes"](tmp_path / "run", tmp_path / "x")
    with pytest.raises(MulliganError) as caught:
        mulligan.resume(tmp_path / "run")
    assert str(caught.value) == (
        f"run={tmp_path}/run has a checkpoint that does not fit its recipe: generator.0.bias is (128,) "
        "and the recipe makes it (160000,); restore recipe.json from a copy"
    )
    with pytest.raises(MulliganError, match=r"the networks have [\d,]+ weights and need [\d,]+ GiB to train, and this machine has"):
        mulligan.train("grid", generator=MlpGenerator((10**7, 10**7)), run=tmp_path / "new", device="cpu")
