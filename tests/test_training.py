"""The loop: what it writes, and that a stopped run is the same run."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import mulligan
from mulligan.data import ArrayFile, Grid
from mulligan.ema import Ema
from mulligan.errors import Diverged, RunFolderError, Stopped
from mulligan.losses import Hinge, NonSaturating, RelativisticPairing, Wasserstein
from mulligan.networks import DcganDiscriminator, DcganGenerator, MlpDiscriminator, SpectralNorm, WeightClipping
from mulligan.penalties import R1, R2, GradientPenalty
from mulligan.recipe import Adam, Recipe
from mulligan.recipes import named
from mulligan.record import health
from mulligan.rundir import RunFolder
from mulligan.schedules import Cosine, Linear
from mulligan.training import Training, crossed


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Forty random 8 x 8 grey images in a file."""
    import numpy as np

    path = tmp_path / "pictures.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8))
    return path


def points_recipe(**changes: Any) -> Recipe:
    small: dict[str, Any] = {
        "data": Grid(count=100),
        "batch": 16,
        "images": 400,
        "report_every_images": 64,
        "sample_every_images": 160,
        "checkpoint_every_images": 96,
    }
    return named("grid").with_(**(small | changes))


def image_recipe(path: Path, **changes: Any) -> Recipe:
    small: dict[str, Any] = {
        "data": ArrayFile(str(path)),
        "generator": DcganGenerator(4),
        "discriminator": DcganDiscriminator(4),
        "batch": 16,
        "images": 160,
        "threads": 1,
        "report_every_images": 48,
        "sample_every_images": 80,
        "checkpoint_every_images": 64,
    }
    return named("mnist").with_(**(small | changes))


FAMILIES: dict[str, Callable[[Path], Recipe]] = {
    "points with a mixture of latents": lambda path: points_recipe(),
    "linear with two logits": lambda path: named("gaussian").with_(images=200, report_every_images=52),
    "mlp": lambda path: image_recipe(path, generator=named("mnist-mlp").generator, discriminator=MlpDiscriminator((16,))),
    "convolutions with batch norm in bfloat16": lambda path: image_recipe(path),
    "several updates per player": lambda path: image_recipe(path, discriminator_updates=2, generator_updates=3, whole_batches=True),
    "spectral norm and its vectors": lambda path: image_recipe(
        path, discriminator_constraints=(SpectralNorm(),), loss=Hinge(), discriminator_penalties=()
    ),
    "a random penalty, lazily, and clipping": lambda path: image_recipe(
        path,
        loss=Wasserstein(),
        discriminator_penalties=(GradientPenalty(every=3),),
        discriminator_constraints=(WeightClipping(0.5),),
    ),
    "schedules": lambda path: points_recipe(
        generator_optimizer=Adam(Linear(1e-2, 0.0, 0.2), 0.0, 0.9),
        discriminator_penalties=(R1(Cosine(1.0, 0.1)), R2(Linear(0.5, 0.1), every=2)),
        loss=RelativisticPairing(),
        ema=Ema(100),
    ),
}


class StopAfter:
    """A listener is told too rarely; this asks to stop after a number of steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int):
        count, step = itertools.count(1), Training.step

        def counted(training: Training) -> None:
            step(training)
            if next(count) == steps:
                training.ask_to_stop()

        monkeypatch.setattr(Training, "step", counted)


def everything(folder: Path) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """The last checkpoint's tensors, and the log without what depends on the clock."""
    run = RunFolder.open(folder)
    tensors, _, _ = run.newest_checkpoint()
    events = run.events()
    for event in events:
        del event["seconds"], event["rates"]["images_per_second"]
    return tensors, events


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("steps", [3, 4])
def test_a_run_that_was_stopped_and_resumed_equals_one_that_was_not(
    family: str, steps: int, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = FAMILIES[family](pictures)
    mulligan.train(recipe, run=tmp_path / "straight", device="cpu")
    with monkeypatch.context() as patch:
        StopAfter(patch, steps)
        with pytest.raises(Stopped):
            mulligan.train(recipe, run=tmp_path / "broken", device="cpu")
    mulligan.resume(tmp_path / "broken")
    (straight, straight_log), (broken, broken_log) = everything(tmp_path / "straight"), everything(tmp_path / "broken")
    assert straight.keys() == broken.keys()
    different = [name for name in straight if not torch.equal(straight[name], broken[name])]
    assert different == []
    assert straight_log == broken_log


def test_a_killed_run_goes_on_from_its_checkpoint_and_logs_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = points_recipe()
    mulligan.train(recipe, run=tmp_path / "straight", device="cpu")
    step, count = Training.step, itertools.count(1)

    def killed(training: Training) -> None:
        if next(count) == 11:
            raise SystemExit("as if killed: nothing is saved")
        step(training)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "step", killed)
        with pytest.raises(SystemExit):
            mulligan.train(recipe, run=tmp_path / "killed", device="cpu")
    mulligan.resume(tmp_path / "killed")
    (straight, straight_log), (killed_run, killed_log) = everything(tmp_path / "straight"), everything(tmp_path / "killed")
    assert all(torch.equal(straight[name], killed_run[name]) for name in straight)
    assert straight_log == killed_log


def test_the_same_seed_gives_the_same_run_and_another_gives_another(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        mulligan.train(points_recipe(seed=seed, images=160), run=tmp_path / name, device="cpu")
    a, b, c = (everything(tmp_path / name)[0]["generator.0.weight"] for name in "abc")
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_a_run_leaves_what_the_interface_promises(pictures: Path, tmp_path: Path) -> None:
    recipe = image_recipe(pictures)
    mulligan.train(recipe, run=tmp_path / "run", device="cpu")
    names = {path.relative_to(tmp_path / "run").as_posix() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert {"recipe.json", "events.jsonl", "model.safetensors", "report.html", "real.png", "networks.txt"} <= names
    assert {"samples/000000000.png", "samples/000000080.png", "samples/000000160.png"} <= names
    assert sorted(name for name in names if name.startswith("checkpoints/")) == [
        "checkpoints/000000064.safetensors",
        "checkpoints/000000128.safetensors",
        "checkpoints/000000160.safetensors",
    ]
    assert not [name for name in names if name.endswith(".tmp")]


def test_events_carry_every_term_by_name(pictures: Path, tmp_path: Path) -> None:
    run = mulligan.train(image_recipe(pictures), run=tmp_path / "run", device="cpu")
    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["images"] for line in lines] == [48, 96, 144, 160]
    assert set(run.events[0]["terms"]) == {
        "discriminator.adversarial",
        "discriminator.r1",
        "discriminator.r2",
        "generator.adversarial",
    }
    assert 0 < run.events[0]["told_apart"] < 1


def test_points_are_scored_with_a_passport(tmp_path: Path) -> None:
    run = mulligan.train(points_recipe(), run=tmp_path / "run", device="cpu")
    assert set(run.events[-1]["scores"]) == {"modes", "high_quality", "reverse_kl", "spread_ratio"}
    assert run.events[-1]["passport"] == {"n_fake": 2500, "split": "exact", "truncation": 1.0, "seed": 0, "generator": "averaged"}


def test_a_run_that_diverges_says_where_and_keeps_its_last_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def discriminator(self: NonSaturating, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        calls.append(1)
        return real_logits * (float("nan") if len(calls) > 9 else 1.0)

    calls: list[int] = []
    monkeypatch.setattr(NonSaturating, "discriminator", discriminator)
    recipe = points_recipe(loss=NonSaturating(), discriminator_penalties=())
    with pytest.raises(Diverged) as caught:
        mulligan.train(recipe, run=tmp_path / "run", device="cpu")
    assert str(caught.value) == (
        "the run diverged at 256 images: the last 10 steps gave numbers that are not finite, and were not taken, "
        "3 times in spite of milder settings; its checkpoint of 192 images is healthy; "
        "train again: lower the learning rates, add a penalty such as --discriminator-penalties r1, or choose another loss"
    )
    tensors, facts, _ = RunFolder.open(tmp_path / "run").newest_checkpoint()
    assert facts["images_seen"] == 192
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    mulligan.train(points_recipe(images=96), run=tmp_path / "run", device="cpu")
    path = tmp_path / "run" / "recipe.json"
    facts = json.loads(path.read_text())
    facts["recipe"]["generator"]["hidden"] = [7]
    path.write_text(json.dumps(facts))
    with pytest.raises(RunFolderError, match="has a checkpoint that does not fit its recipe"):
        mulligan.resume(tmp_path / "run")


@pytest.mark.parametrize(
    ("every", "before", "after", "expected"),
    [(100, 64, 128, True), (100, 128, 192, False), (100, -64, 0, False), (100, 0, 100, True), (100, 100, 100, False)],
)
def test_intervals_are_counted_in_images_and_crossed_once(every: int, before: int, after: int, expected: bool) -> None:
    assert crossed(every, before, after) is expected


def test_the_health_word_follows_how_well_real_is_told_from_fake() -> None:
    assert [health(share, True) for share in (0.2, 0.6, 0.99)] == ["fooled", "balanced", "one-sided"]
    assert health(0.99, False) == "running"
