"""The house: layers hold, nothing is a junk drawer, nothing is hidden."""

import ast
import re
from pathlib import Path

import pytest

import mulligan

SOURCE = Path(mulligan.__file__).parent

# imports point only to the same layer or an earlier one
LAYERS: list[set[str]] = [
    {"errors", "parts"},
    {"losses", "penalties", "schedules", "ema", "metrics", "latents", "views", "pictures", "watch", "storage", "packed"},
    {"networks", "data", "features"},
    {"codec", "recipe", "recipes"},
    {"rundir", "memory", "player", "game", "step", "graphs", "threads", "model", "record", "training", "report", "export"}
    | {"evaluate", "best", "judges", "build", "tally", "state", "writer", "keeper", "recovery", "stopping", "machine"},
    {"compare", "api", "forecast", "cli", "__init__"},
]
JUNK_DRAWERS = {"utils", "helpers", "common", "misc", "util", "tools", "base"}
FILES = sorted(SOURCE.rglob("*.py"))


def module_of(path: Path) -> str:
    """The top-level module or folder that a file belongs to."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def layer_of(module: str) -> int:
    return next(number for number, names in enumerate(LAYERS) if module in names)


def imported_modules(path: Path) -> set[str]:
    """The top-level modules of ours that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "mulligan":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if name.name.startswith("mulligan.")}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_point_to_earlier_layers_only(path: Path) -> None:
    own = layer_of(module_of(path))
    later = {name for name in imported_modules(path) if layer_of(name) > own}
    assert not later


def test_every_module_has_a_layer() -> None:
    assert {module_of(path) for path in FILES} == set().union(*LAYERS)


@pytest.mark.parametrize("name", ["player", "game", "step", "graphs", "threads", "training", "record", "model", "tally", "keeper"])
def test_the_engine_knows_no_named_recipe_network_or_source(name: str) -> None:
    text = (SOURCE / f"{name}.py").read_text(encoding="utf-8")
    assert not re.search(r"from mulligan\.recipes |\bMnist|\bFolder\b|\bDcgan|\bMlp", text)


def test_no_file_is_a_junk_drawer() -> None:
    assert not {path.stem for path in FILES} & JUNK_DRAWERS


def test_files_stay_short_enough_to_read() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > 320} == {}
    assert lengths["game.py"] + lengths["step.py"] < 260
    assert lengths["training.py"] < 280


def test_functions_stay_short_and_take_few_parameters() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                where = f"{path.name}:{node.name}"
                assert (node.end_lineno or 0) - node.lineno < 50, where
                assert len(node.args.args) + len(node.args.kwonlyargs) <= 8, where


def test_only_a_player_moves() -> None:
    """`backward`, `zero_grad` and an optimiser's `step` stand in one place; a classifier that learns labels plays no game."""
    places = [
        path.name
        for path in FILES
        if path.name != "classifier.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\.backward\(|\.zero_grad\(|optimizer\.step\(", line)
    ]
    assert places == ["player.py"] * 3


def test_nothing_prints_but_the_command_line() -> None:
    talkers = {module_of(path) for path in FILES if re.search(r"(?<![\w.])print\(", path.read_text(encoding="utf-8"))}
    assert talkers == {"cli"}


def test_nothing_reaches_for_the_network_or_for_pickles() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if path.name == "inception.py":  # opens one known file, after its SHA-256 was looked at
            text = text.replace('torch.load(path, map_location="cpu", weights_only=True)', "")
        assert not re.search(r"import (pickle|urllib|requests|http|socket)|torch\.load\(|torchvision|allow_pickle=True", text), path
