"""The library's front door."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import mulligan
from mulligan.data import Grid
from mulligan.errors import DataError, DeviceError, RecipeError, RunFolderError
from mulligan.parts import AdversarialLoss, Dataset, Look, Shape
from mulligan.pictures import ImageGrid, Scatter
from mulligan.recipe import Recipe


def tiny(**changes: Any) -> Recipe:
    return mulligan.named("grid").with_(**({"data": Grid(count=64), "batch": 16, "images": 64} | changes))


def test_a_recipe_trains_by_name_with_changes_and_the_model_loads(tmp_path: Path) -> None:
    run = mulligan.train("gaussian", images=40, run=tmp_path / "demo", device="cpu")
    assert run.path == tmp_path / "demo"
    assert run.recipe.images == 40
    model = mulligan.load(tmp_path / "demo")
    assert torch.equal(model.sample(5, seed=3), run.sample(5, seed=3))
    assert model(torch.zeros(4, 2)).shape == (4, 2)


def test_images_come_as_floats_between_minus_one_and_one(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8))
    run = mulligan.train(
        mulligan.named("mnist").with_(data=mulligan.data.ArrayFile(str(tmp_path / "x.npy")), batch=4, images=8),
        run=tmp_path / "run",
        device="cpu",
    )
    images = run.sample(7)
    assert images.shape == (7, 3, 8, 8)
    assert images.dtype == torch.float32
    assert images.abs().max() <= 1


def test_training_into_an_existing_run_names_resume(tmp_path: Path) -> None:
    mulligan.train(tiny(), run=tmp_path / "run", device="cpu")
    with pytest.raises(RunFolderError) as caught:
        mulligan.train(tiny(), run=tmp_path / "run", device="cpu")
    assert str(caught.value) == (
        f"run={tmp_path}/run already holds a run; go on with `mulligan resume {tmp_path}/run` or choose another --run"
    )


def test_mistakes_are_found_before_a_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="batch=65 is larger than the data, which has 64 samples; use --batch 64 or less"):
        mulligan.train(tiny(batch=65), run=tmp_path / "run", device="cpu")
    with pytest.raises(RecipeError, match="recipe=mnist is for images and the data holds points"):
        mulligan.train("mnist", data=Grid(count=64), run=tmp_path / "run", device="cpu")
    with pytest.raises(RecipeError, match="a recipe has no field imgaes"):
        mulligan.train("mnist", imgaes=1, run=tmp_path / "run")
    with pytest.raises(DeviceError, match="device=abacus is not available here; use auto or cpu"):
        mulligan.train(tiny(), device="abacus", run=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_runs_are_numbered_when_no_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [mulligan.train(tiny(), device="cpu").path.as_posix() for _ in range(2)]
    assert paths == ["runs/grid-0001", "runs/grid-0002"]


def test_a_listener_hears_every_event_that_is_logged(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    run = mulligan.train(tiny(report_every_images=16), run=tmp_path / "run", device="cpu", listener=heard.append)
    assert [event for event in heard if "notice" not in event] == run.events
    assert len(run.events) == 4


@dataclass(frozen=True)
class Squared(AdversarialLoss):
    """A loss of a user's own, listed nowhere."""

    sharpness: float = 2.0

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self.sharpness * ((real_logits - 1).square() + (fake_logits + 1).square())

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return (fake_logits - 1).square()


@dataclass(frozen=True)
class SmallLogits:
    every: int = 2
    name: ClassVar[str] = "small_logits"

    def __call__(self, look: Look) -> Tensor:
        return look.real_logits.square()


@dataclass(frozen=True)
class Shift:
    def build(self, latents: int, shape: Shape) -> nn.Module:
        return nn.Linear(latents, shape[0])


@dataclass(frozen=True)
class Line:
    def load(self, size: int | None) -> Dataset:
        return Dataset(torch.linspace(-1, 1, 40).repeat(2, 1).T.contiguous())


def own_recipe() -> Recipe:
    return tiny(  # parts of the user's own: the type checker knows the closed unions, the package asks for methods only
        loss=Squared(), discriminator_penalties=(SmallLogits(),), generator=Shift(), data=Line()
    )


def test_parts_of_the_users_own_work_and_resume_from_python_only(tmp_path: Path) -> None:
    run = mulligan.train(own_recipe(), run=tmp_path / "run", device="cpu")
    assert "discriminator.small_logits" in run.events[-1]["terms"]
    assert run.sample(3).shape == (3, 2)
    assert mulligan.resume(tmp_path / "run", recipe=own_recipe()).sample(3).shape == (3, 2)
    with pytest.raises(RecipeError, match=r"recipe.data=line is not one of .* a class of your own is used from Python"):
        mulligan.resume(tmp_path / "run")
    with pytest.raises(RecipeError, match="was started with another recipe"):
        mulligan.resume(tmp_path / "run", recipe=own_recipe().with_(batch=8))


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, mulligan, mulligan.recipes, mulligan.cli, mulligan.cli.recipes; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_everything_the_package_promises_is_there() -> None:
    for name in mulligan.__all__:
        assert getattr(mulligan, name) is not None
    with pytest.raises(AttributeError, match="module 'mulligan' has no attribute 'nonsense'"):
        _ = mulligan.nonsense


def test_points_of_three_coordinates_train_and_show_their_first_two(tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", np.random.default_rng(0).standard_normal((40, 3)))
    run = mulligan.train(tiny(data=mulligan.data.ArrayFile(str(tmp_path / "cube.npy"))), run=tmp_path / "run", device="cpu")
    assert run.sample(5).shape == (5, 3)
    assert (tmp_path / "run" / "samples" / "000000064.png").exists()


def test_a_picture_that_cannot_show_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        mulligan.train("mnist", data=mulligan.data.Mnist("test"), picture=Scatter(), run=tmp_path / "run", device="cpu")
    assert str(caught.value) == "picture=scatter cannot show samples of shape (1, 28, 28); use --picture image-grid"
    with pytest.raises(RecipeError, match=r"picture=image-grid cannot show samples of shape \(2,\); use --picture scatter"):
        mulligan.train(tiny(picture=ImageGrid()), run=tmp_path / "run", device="cpu")


def test_a_run_that_says_nothing_of_its_machine_goes_on_where_it_is(tmp_path: Path) -> None:
    mulligan.train(tiny(), run=tmp_path / "run", device="cpu")
    path = tmp_path / "run" / "recipe.json"
    path.write_text(json.dumps({"recipe": json.loads(path.read_text())["recipe"]}))
    assert mulligan.resume(tmp_path / "run", device="cpu").sample(2).shape == (2, 2)


def test_the_run_folder_says_what_the_data_was_and_which_files_were_skipped(tmp_path: Path) -> None:
    for name, seed in (("a/1.png", 1), ("b/2.png", 2), ("b/3.png", 3), ("b/4.png", 4)):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (9, 9), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / name)
    (tmp_path / "pictures" / "b" / "bad.png").write_bytes(b"")
    said = []
    mulligan.train(
        mulligan.named("mnist").with_(data=mulligan.data.Folder(str(tmp_path / "pictures")), image_size=8, batch=4, images=4),
        run=tmp_path / "run",
        device="cpu",
        listener=said.append,
    )
    report = json.loads((tmp_path / "run" / "data-report.json").read_text())
    assert (report["count"], report["shape"], report["sizes"]) == (4, [1, 8, 8], {"9x9": 4})
    assert report["labels"] == {"a": 1, "b": 3}
    assert report["skipped"] == ["b/bad.png: it is empty"]
    assert "exact_duplicates" not in report
    assert "4 samples of 1x8x8 (1 unreadable files skipped, listed in data-report.json), " in said[0]["notice"]
